import type { ShardId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { labNode, SHARD, ShardLab, type LabOptions } from '../testing/shard-lab.ts';
import { decodeState } from './entry-view.ts';

const [A, B] = [labNode(1), labNode(2)];

function activeLab(config: LabOptions['config'] = {}): ShardLab {
  const lab = new ShardLab({ nodes: 3, config });
  lab.assign({ primary: A });
  lab.advance(100);
  return lab;
}

function resultOf(lab: ShardLab, token: number): unknown {
  return lab.answers.get(token)?.result;
}

function siblings(lab: ShardLab, number: number): number {
  const found = lab.entries(number).get(SHARD, lab.status(number).slot, 'n\0k');
  if (found === 'absent' || found === 'paged') throw new Error('The entry is not in memory.');
  return decodeState(found.state).siblings.length;
}

function orphansOnDisk(lab: ShardLab, number: number, shard: ShardId = SHARD): number {
  const prefix = `shard/${shard.toString(16).padStart(4, '0')}/r/`;
  return [...lab.disk(number).keys()].filter((key) => key.startsWith(prefix)).length;
}

test('F16, F20: an orphan whose repetition came by a stream is not merged beside it', () => {
  const lab = activeLab({ logRecordsMax: 2, operationWindowMs: 8000 });
  const operationId = lab.operationId();
  // Node 2 takes a write while it does not hear of the primary, which is asked again for it.
  lab.alive(2, 3);
  lab.drop = ({ to, from }) => to === B || from === B;
  lab.put(2, 'k', 'v', { durability: 'one', operationId });
  lab.put(1, 'k', 'v', { operationId });
  for (let number = 0; number < 10; number += 1) lab.put(1, `k${number}`, 'v');
  lab.advance(500);
  lab.put(1, 'trim', 'v');
  lab.advance(500);
  lab.drop = ({ body }) => body.type === 'offerOrphan';
  lab.alive(1, 2, 3);
  lab.advance(5000);
  expect(lab.status(2)).toMatchObject({ complete: true, slot: 1 });
  // By the time its orphan is offered, nobody remembers the operation any more.
  lab.advance(20_000);
  lab.put(1, 'later', 'v');
  lab.advance(1000);
  lab.drop = () => false;
  lab.advance(5000);
  expect(orphansOnDisk(lab, 2)).toBe(0);
  expect(siblings(lab, 1)).toBe(1);
});

test('F16: of two orphans under one id none is merged beside what was carried out', () => {
  const lab = activeLab({ operationWindowMs: 8000 });
  const operationId = lab.operationId();
  const again = { durability: 'one', operationId } as const;
  lab.drop = ({ from, body }) => from === A || body.type === 'offerOrphan';
  lab.put(1, 'k', 'v', again);
  lab.assign({ primary: B }, [2, 3]);
  lab.drop = ({ body }) => body.type === 'offerOrphan';
  lab.assign({ epoch: 2, primary: B }, [1]);
  lab.advance(2000);
  expect(orphansOnDisk(lab, 1)).toBe(1);
  // The same once more: node 1 logs the repetition before its own orphan has its turn.
  lab.assign({ primary: A });
  expect(lab.status(1).active).toBe(true);
  lab.drop = ({ from, body }) => from === A || body.type === 'offerOrphan';
  expect(resultOf(lab, lab.put(1, 'k', 'v', again))).toMatchObject({ repeated: false });
  lab.assign({ primary: B }, [2, 3]);
  lab.drop = ({ body }) => body.type === 'offerOrphan';
  lab.assign({ epoch: 4, primary: B }, [1]);
  lab.advance(2000);
  expect(orphansOnDisk(lab, 1)).toBe(2);
  expect(resultOf(lab, lab.put(2, 'k', 'v', { operationId }))).toMatchObject({ repeated: false });
  lab.advance(1000);
  expect(orphansOnDisk(lab, 1)).toBe(0);
  expect(siblings(lab, 2)).toBe(1);
});

test('F16: a repetition waits for what is cut off and on its way to the disk', () => {
  const lab = activeLab();
  const operationId = lab.operationId();
  const again = { durability: 'one', operationId } as const;
  lab.drop = ({ from, body }) => from === A || body.type === 'offerOrphan';
  const first = lab.put(1, 'k', 'v', again);
  const { version } = resultOf(lab, first) as { version: unknown };
  lab.holdDisk(1);
  lab.assign({ primary: B }, [2, 3]);
  lab.drop = ({ body }) => body.type === 'offerOrphan';
  lab.assign({ epoch: 2, primary: B }, [1]);
  lab.advance(1000);
  lab.alive(1, 3);
  const repeated = lab.put(1, 'k', 'v', again);
  expect(resultOf(lab, repeated)).toBeUndefined();
  lab.releaseDisk(1);
  expect(resultOf(lab, repeated)).toMatchObject({ repeated: true, autonomous: true, version });
  expect(orphansOnDisk(lab, 1)).toBe(1);
});

test('F3, F20: an orphan is given up only for what a quorum has on disk', () => {
  const lab = activeLab();
  const operationId = lab.operationId();
  lab.alive(2, 3);
  lab.drop = ({ to, from }) => to === B || from === B;
  lab.put(2, 'k', 'v', { durability: 'one', operationId });
  // The repetition asks for less, and gets it while no disk answers.
  lab.holdDisk(1);
  lab.holdDisk(3);
  const again = lab.put(1, 'k', 'v', { operationId, sync: 'memory' });
  expect(resultOf(lab, again)).toMatchObject({ kind: 'written', acknowledged: 'quorum' });
  lab.drop = () => false;
  lab.alive(1, 2, 3);
  lab.advance(5000);
  expect(lab.status(2).applied).toBe(lab.status(1).applied);
  expect(orphansOnDisk(lab, 2)).toBe(1);
  lab.releaseDisk(1);
  lab.releaseDisk(3);
  lab.advance(5000);
  expect(orphansOnDisk(lab, 2)).toBe(0);
  expect(siblings(lab, 1)).toBe(1);
});

test('F20, F16: what is carried out and not on disk yet is not merged when it is forgotten', () => {
  const lab = activeLab({ operationWindowMs: 8000 });
  const operationId = lab.operationId();
  lab.alive(2, 3);
  lab.drop = ({ to, from }) => to === B || from === B;
  lab.put(2, 'k', 'v', { durability: 'one', operationId });
  lab.put(1, 'k', 'v', { operationId, sync: 'memory' });
  lab.drop = ({ body }) => body.type === 'offerOrphan';
  lab.alive(1, 2, 3);
  lab.advance(20_000);
  expect(orphansOnDisk(lab, 2)).toBe(1);
  lab.drop = () => false;
  lab.advance(5000);
  expect(orphansOnDisk(lab, 2)).toBe(0);
  expect(siblings(lab, 1)).toBe(1);
  // Reads there count on the log alone.
  expect(resultOf(lab, lab.get(2, 'k'))).toMatchObject({ kind: 'found' });
});

test('F26, F20: a primary takes no writes at `one` while too many are kept', () => {
  const lab = activeLab({ waitingOperationsMax: 3 });
  const codes: (string | undefined)[] = [];
  for (let round = 0; round < 3; round += 1) {
    lab.drop = ({ from, body }) => from === A || body.type === 'offerOrphan';
    for (let number = 0; number < 3; number += 1) {
      const token = lab.put(1, `k${round}-${number}`, 'v', { durability: 'one', timeoutMs: 100 });
      const result = resultOf(lab, token) as { kind: string; code?: string } | undefined;
      codes.push(result?.code ?? result?.kind);
    }
    const { epoch } = lab.assign({ primary: B }, [2, 3]);
    lab.drop = ({ body }) => body.type === 'offerOrphan';
    lab.assign({ epoch, primary: B }, [1]);
    lab.advance(500);
    expect(orphansOnDisk(lab, 1)).toBe(3);
    lab.assign({ primary: A });
    expect(lab.status(1).active).toBe(true);
  }
  const taken = ['written', 'written', 'written'];
  const refused = ['OVERLOADED', 'OVERLOADED', 'OVERLOADED'];
  expect(codes).toEqual([...taken, ...refused, ...refused]);
  lab.drop = () => false;
  lab.advance(10_000);
  expect(orphansOnDisk(lab, 1)).toBe(0);
  expect(resultOf(lab, lab.put(1, 'k', 'v', { durability: 'one' }))).toMatchObject({
    kind: 'written',
  });
});

test('F26: an island takes no more bytes than may wait', () => {
  const lab = activeLab({ waitingBytesMax: 3000 });
  lab.alive(2, 3);
  lab.drop = ({ to, from }) => to === A || from === A;
  const put = (key: string): unknown => {
    return resultOf(lab, lab.put(2, key, 'x'.repeat(1000), { durability: 'one' }));
  };
  expect(put('k0')).toMatchObject({ kind: 'written' });
  expect(put('k1')).toMatchObject({ kind: 'written' });
  expect(put('k2')).toMatchObject({ kind: 'written' });
  expect(put('k3')).toMatchObject({ code: 'OVERLOADED' });
});
