import { decodeValue, entryBodyField } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { labEntry, labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';
import type { OrphanReply, OrphanStatus } from './orphans-io.ts';

const [A, B] = [labNode(1), labNode(2)];

/** Node 2 took writes away from the primary, and came back after deletes of their time were forgotten. */
function parkedLab(...contents: readonly string[]): ShardLab {
  const lab = new ShardLab({ nodes: 3, config: { collectAfterMs: 1000 } });
  lab.assign({ primary: A });
  lab.advance(100);
  lab.alive(2, 3);
  lab.drop = ({ body }) => body.type === 'offerOrphan';
  for (const content of contents) lab.put(2, content, `${content} island`, { durability: 'one' });
  lab.delete(1, 'k');
  lab.delete(1, 'gone');
  lab.advance(5000);
  expect(lab.events.some(({ event }) => event.name === 'shard.collected')).toBe(true);
  lab.drop = () => false;
  lab.alive(1, 2, 3);
  lab.advance(5000);
  return lab;
}

function listed(lab: ShardLab, limit = 100): Extract<OrphanReply, { kind: 'orphans' }> {
  const reply = lab.decide(2, { kind: 'listOrphans', limit });
  if (reply?.kind !== 'orphans') throw new Error('No list.');
  return reply;
}

function resultOf(lab: ShardLab, token: number): unknown {
  return lab.answers.get(token)?.result;
}

function parkedOne(lab: ShardLab): OrphanStatus {
  const [one] = listed(lab).orphans;
  if (one === undefined) throw new Error('Nothing is parked.');
  return one;
}

test('F21: what is parked is listed, and no read shows it', () => {
  const lab = parkedLab('k', 'other');
  const { orphans, parked, waiting } = listed(lab);
  expect({ parked, waiting }).toEqual({ parked: 2, waiting: 0 });
  expect(orphans).toMatchObject([
    { shard: SHARD, state: 'parked', namespace: 'n', key: 'k', kind: 'put', expiresAt: 0 },
    { shard: SHARD, state: 'parked', namespace: 'n', key: 'other', kind: 'put' },
  ]);
  expect(orphans[0]?.version.dot.actor).toBe(`${B}.1`);
  const entry = decodeValue(entryBodyField, orphans[0]?.entry ?? new Uint8Array(), 'entry');
  expect(entry.content).toBe('k island');
  expect(listed(lab, 1)).toMatchObject({ orphans: [{ key: 'k' }], parked: 2 });
  expect(resultOf(lab, lab.get(2, 'k'))).toMatchObject({ kind: 'absent' });
});

test('F21: a parked write that is merged is a new write beside what its key holds', () => {
  const lab = parkedLab('k');
  expect(resultOf(lab, lab.put(1, 'k', 'later'))).toMatchObject({ kind: 'written' });
  lab.advance(500);
  const { orphan } = parkedOne(lab);
  const merging = lab.decide(2, { kind: 'mergeOrphan', orphan });
  expect(merging).toMatchObject({ kind: 'orphanMerging', version: { dot: { actor: `${B}.1` } } });
  lab.advance(3000);
  expect(listed(lab)).toMatchObject({ orphans: [], parked: 0, waiting: 0 });
  const read = lab.get(1, 'k', { read: 'strong' });
  const version = merging?.kind === 'orphanMerging' ? merging.version : undefined;
  expect(resultOf(lab, read)).toMatchObject({ kind: 'found', found: { version } });
  const history = lab.ask(1, { body: { kind: 'history', namespace: 'n', key: 'k' } });
  expect(JSON.stringify(resultOf(lab, history))).toContain(`"actor":"${A}.1"`);
  expect([...lab.disk(2).keys()].filter((key) => key.includes('/r/'))).toEqual([]);
});

test('F21: what is to be merged outlives a restart, and is merged once', () => {
  const lab = parkedLab('k');
  const { orphan } = parkedOne(lab);
  lab.drop = ({ body }) => body.type === 'offerOrphan';
  expect(lab.decide(2, { kind: 'mergeOrphan', orphan })).toMatchObject({ kind: 'orphanMerging' });
  // Twice by mistake: the number is another one now.
  expect(lab.decide(2, { kind: 'mergeOrphan', orphan })).toEqual({
    kind: 'orphanRefused',
    reason: 'absent',
  });
  expect(listed(lab)).toMatchObject({ orphans: [{ state: 'waiting' }], parked: 0, waiting: 1 });
  const again = parkedOne(lab).orphan;
  expect(lab.decide(2, { kind: 'dropOrphan', orphan: again })).toEqual({
    kind: 'orphanRefused',
    reason: 'waiting',
  });
  lab.crash(2);
  lab.start(2);
  lab.drop = () => false;
  lab.advance(5000);
  expect(resultOf(lab, lab.get(1, 'k', { read: 'strong' }))).toMatchObject({ kind: 'found' });
  expect(listed(lab)).toMatchObject({ parked: 0, waiting: 0 });
});

test('F21: a parked write that is dropped is gone, from the disk as well', () => {
  const lab = parkedLab('k');
  const { orphan } = parkedOne(lab);
  lab.holdDisk(2);
  expect(lab.decide(2, { kind: 'dropOrphan', orphan })).toBeUndefined();
  lab.releaseDisk(2);
  expect([...lab.decided.values()].at(-1)).toEqual({ kind: 'orphanDropped', orphan });
  expect(lab.events.at(-1)?.event).toMatchObject({ name: 'orphan.dropped', shard: SHARD });
  lab.crash(2);
  lab.start(2);
  lab.advance(1000);
  expect(listed(lab)).toMatchObject({ orphans: [], parked: 0 });
});

test('F21: what has expired meanwhile is not merged', () => {
  const lab = new ShardLab({ nodes: 3, config: { collectAfterMs: 1000 } });
  lab.assign({ primary: A });
  lab.advance(100);
  lab.alive(2, 3);
  lab.drop = ({ body }) => body.type === 'offerOrphan';
  const entry = labEntry('v', { expiresAt: lab.wallMs + 500 });
  lab.ask(2, {
    operationId: lab.operationId(),
    durability: 'one',
    body: { kind: 'put', namespace: 'n', key: 'k', entry, condition: { kind: 'always' } },
  });
  lab.delete(1, 'gone');
  lab.advance(5000);
  lab.drop = () => false;
  lab.alive(1, 2, 3);
  lab.advance(5000);
  const { orphan } = parkedOne(lab);
  expect(lab.decide(2, { kind: 'mergeOrphan', orphan })).toEqual({
    kind: 'orphanRefused',
    reason: 'expired',
  });
  expect(lab.decide(2, { kind: 'dropOrphan', orphan })).toMatchObject({ kind: 'orphanDropped' });
});
