import { makeOperationId, operationIdMs } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';
import { decodeOutcomes } from './outcome-rows.ts';
import { encodeOutcome, recoverShards, singleOutcomeKey } from './shard-records.ts';

const A = labNode(1);
const MINUTE_MS = 60_000;

function lonelyLab(config = {}): ShardLab {
  const lab = new ShardLab({ nodes: 1, config });
  lab.assign({ primary: A, replicas: [A] });
  lab.advance(100);
  return lab;
}

function restart(lab: ShardLab): void {
  lab.crash(1);
  lab.start(1);
  lab.assign({ primary: A, replicas: [A] });
  lab.advance(1000);
}

function outcomeKeys(lab: ShardLab): string[] {
  return [...lab.disk(1).keys()].filter((key) => key.includes('/o/')).sort();
}

function again(lab: ShardLab, operationId: string): unknown {
  const token = lab.put(1, 'k', 'v', { operationId });
  lab.advance(1000);
  return lab.answers.get(token)?.result;
}

/** `count` writes within one flush. */
function write(lab: ShardLab, count: number): readonly string[] {
  const ids = Array.from({ length: count }, () => lab.operationId());
  for (const operationId of ids) lab.put(1, 'k', 'v', { operationId });
  lab.advance(500);
  return ids;
}

/** Lays the outcomes on the disk as layout 2 did: one record for each. */
function asEarlier(lab: ShardLab): void {
  const disk = lab.disk(1);
  for (const key of outcomeKeys(lab)) {
    for (const { operationId, outcome } of decodeOutcomes(disk.get(key) as Uint8Array, key)) {
      disk.set(singleOutcomeKey(SHARD, 0, operationId), encodeOutcome(outcome));
    }
    disk.delete(key);
  }
}

test('F16: what one flush finds new is one record, which a restart knows again', () => {
  const lab = lonelyLab();
  const first = write(lab, 30);
  expect(outcomeKeys(lab)).toHaveLength(1);
  const second = write(lab, 3);
  expect(outcomeKeys(lab)).toHaveLength(2);
  restart(lab);
  for (const id of [...first, ...second]) expect(again(lab, id)).toMatchObject({ repeated: true });
  // Numbers go on behind what was found.
  const third = write(lab, 2);
  expect(outcomeKeys(lab)).toHaveLength(3);
  restart(lab);
  for (const id of third) expect(again(lab, id)).toMatchObject({ repeated: true });
});

test('F16: a record goes when the youngest in it is forgotten, and not before', () => {
  const lab = lonelyLab();
  const now = operationIdMs(lab.operationId()) as number;
  const ahead = makeOperationId(now + 30_000, [1, 2, 3]);
  lab.put(1, 'k', 'v', { operationId: ahead });
  const [old] = write(lab, 1) as [string];
  expect(outcomeKeys(lab)).toHaveLength(1);
  lab.advance(10 * MINUTE_MS + 5_000);
  expect(again(lab, old)).toMatchObject({ code: 'OPERATION_EXPIRED' });
  expect(again(lab, ahead)).toMatchObject({ repeated: true });
  expect(outcomeKeys(lab)).toHaveLength(1);
  restart(lab);
  expect(again(lab, ahead)).toMatchObject({ repeated: true });
  // Known again or refused, and never carried out a second time.
  expect(again(lab, old)).not.toMatchObject({ kind: 'written', repeated: false });
  lab.advance(MINUTE_MS);
  expect(outcomeKeys(lab)).toEqual([]);
  expect(again(lab, ahead)).toMatchObject({ code: 'OPERATION_EXPIRED' });
});

test('F16: outcomes that an earlier version wrote are known, and forgotten in their turn', () => {
  const lab = lonelyLab();
  const earlier = write(lab, 5);
  asEarlier(lab);
  expect(outcomeKeys(lab)).toHaveLength(5);
  restart(lab);
  const later = write(lab, 2);
  restart(lab);
  for (const id of [...earlier, ...later]) {
    expect(again(lab, id)).toMatchObject({ repeated: true });
  }
  expect(outcomeKeys(lab)).toHaveLength(6);
  lab.advance(11 * MINUTE_MS);
  expect(outcomeKeys(lab)).toEqual([]);
  restart(lab);
  for (const id of earlier) expect(again(lab, id)).toMatchObject({ code: 'OPERATION_EXPIRED' });
});

test('F16, F24: a shard that is given up takes what an earlier version wrote with it', () => {
  const lab = new ShardLab({ nodes: 2 });
  lab.assign({ primary: A, replicas: [A] });
  lab.advance(100);
  write(lab, 5);
  asEarlier(lab);
  restart(lab);
  write(lab, 3);
  expect(outcomeKeys(lab)).toHaveLength(6);
  lab.assign({ primary: labNode(2), replicas: [labNode(2)] });
  lab.advance(2_000);
  expect(outcomeKeys(lab)).toEqual([]);
});

test('F16: what is forgotten before it was written is not written any more', () => {
  const lab = lonelyLab({ operationBytesMax: 2_500 });
  const now = operationIdMs(lab.operationId()) as number;
  for (let number = 0; number < 40; number += 1) {
    const operationId = makeOperationId(now - 20_000 + 300 * number, [number, 7, 7]);
    lab.put(1, `k${number}`, 'v', { operationId });
  }
  lab.advance(1000);
  const [{ copy } = { copy: undefined }] = recoverShards(lab.disk(1));
  expect(copy?.outcomes.length).toBeLessThanOrEqual(1);
  write(lab, 1);
  lab.advance(11 * MINUTE_MS);
  expect(outcomeKeys(lab)).toEqual([]);
});
