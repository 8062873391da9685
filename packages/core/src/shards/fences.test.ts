import type { Generation } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';

const [A, B, C] = [labNode(1), labNode(2), labNode(3)];

function activeLab(nodes = 3): ShardLab {
  const lab = new ShardLab({ nodes });
  lab.assign({ primary: A });
  lab.advance(100);
  return lab;
}

test('F1: records of an epoch older than the promised one are refused, and the sender ends', () => {
  const lab = activeLab();
  expect(lab.status(1).active).toBe(true);
  // Node 1 hears nothing of the change: it goes on as it was.
  lab.drop = ({ to }) => to === A;
  lab.assign({ primary: B }, [2, 3]);
  expect(lab.status(2).active).toBe(true);
  lab.drop = () => false;
  const token = lab.put(1, 'k', 'late');
  expect(lab.status(3).last.epoch).toBe(2);
  expect(lab.answers.get(token)?.result).toMatchObject({ kind: 'failed', applied: 'unknown' });
  expect(lab.status(1).active).toBe(false);
  expect(lab.sent.some(({ from, body }) => from === C && body.type === 'shardNack')).toBe(true);
});

test('F2: a promise is told when it is durable, and is known after a restart', () => {
  const lab = activeLab();
  lab.holdDisk(3);
  lab.sent.length = 0;
  lab.deliver(2, 3, { type: 'promise', shards: [{ shard: SHARD, epoch: 7 }] });
  expect(lab.sent.filter(({ from }) => from === C)).toEqual([]);
  lab.releaseDisk(3);
  expect(
    lab.sent.filter(({ from, body }) => from === C && body.type === 'promiseAck'),
  ).toHaveLength(1);
  lab.crash(3);
  lab.start(3);
  expect(lab.status(3).promised).toBe(7);
});

test('F2: a promise that was not durable is not acknowledged after the crash either', () => {
  const lab = activeLab();
  lab.holdDisk(3);
  lab.deliver(2, 3, { type: 'promise', shards: [{ shard: SHARD, epoch: 7 }] });
  lab.crash(3);
  lab.start(3);
  expect(lab.status(3).promised).toBe(1);
});

test('F6: a primary that no majority has promised anything logs nothing', () => {
  const lab = new ShardLab({ nodes: 3 });
  lab.drop = ({ to }) => to === B || to === C;
  lab.assign({ primary: A });
  const token = lab.put(1, 'k', 'v', { timeoutMs: 300 });
  lab.advance(200);
  expect(lab.status(1).last).toEqual({ epoch: 0, index: 0 });
  lab.advance(200);
  expect(lab.answers.get(token)?.result).toMatchObject({ code: 'TIMEOUT', applied: 'no' });
});

test('F6: both sets of a move have to promise', () => {
  const lab = new ShardLab({ nodes: 6 });
  const replicas = [1, 2, 3].map(labNode);
  const next = [4, 5, 6].map(labNode);
  lab.assign({ primary: A, replicas });
  lab.drop = ({ to }) => to === labNode(5) || to === labNode(6);
  lab.assign({ stage: 'dual', next, session: 2 });
  lab.advance(1000);
  expect(lab.status(1).active).toBe(false);
  lab.drop = () => false;
  lab.advance(10_000);
  expect(lab.status(1).active).toBe(true);
});

test('F7: a new primary takes over the longest log of those who promised', () => {
  const lab = activeLab();
  // Node 3 misses a write that the other two have.
  lab.drop = ({ to }) => to === C;
  const token = lab.put(1, 'k', 'v');
  expect(lab.answers.get(token)?.result.kind).toBe('written');
  lab.drop = ({ to, from }) => to === A || from === A;
  lab.assign({ primary: C }, [2, 3]);
  lab.advance(1000);
  expect(lab.status(3).active).toBe(true);
  const read = lab.get(3, 'k', { read: 'strong' });
  expect(lab.answers.get(read)?.result.kind).toBe('found');
});

test('F7: what only the minority has gives way', () => {
  const lab = activeLab();
  lab.drop = ({ from }) => from === A;
  const lost = lab.put(1, 'k', 'lost');
  expect(lab.status(1).last.index).toBe(2);
  lab.assign({ primary: B }, [2, 3]);
  lab.put(2, 'k', 'kept');
  lab.drop = () => false;
  lab.assign({ epoch: 2, primary: B }, [1]);
  lab.advance(10_000);
  expect(lab.answers.get(lost)?.result).toMatchObject({ kind: 'failed', applied: 'unknown' });
  expect(lab.events.map(({ event }) => event.name)).toContain('shard.truncated');
  expect(lab.status(1).last).toEqual(lab.status(2).last);
});

test('F7: what a source has lost with its memory is not waited for', () => {
  const lab = activeLab();
  lab.put(1, 'k', 'v', { sync: 'memory' });
  lab.advance(100);
  // Node 3 alone has one more record of the class that a crash forgets.
  lab.drop = ({ to }) => to !== C;
  lab.put(1, 'k', 'w', { sync: 'memory', timeoutMs: 100 });
  expect([lab.status(2).commit, lab.status(3).last.index]).toEqual([2, 3]);
  lab.crash(1);
  // It tells of that in its promise, and starts again without even what was committed.
  lab.drop = ({ body }) => body.type === 'logPull';
  lab.assign({ primary: B }, [2, 3]);
  lab.advance(10);
  expect(lab.status(2).active).toBe(false);
  lab.crash(3);
  for (const key of lab.disk(3).keys()) {
    if (/\/l\/0*[23]$/.test(key) || key.endsWith('/a')) lab.disk(3).delete(key);
  }
  lab.drop = () => false;
  lab.start(3);
  lab.advance(20_000);
  expect(lab.status(2)).toMatchObject({ active: true, commit: 3 });
  expect(lab.status(3).last).toEqual(lab.status(2).last);
});

test('F8: records of earlier epochs commit with the first one of the own', () => {
  const lab = activeLab();
  // Everybody gets the record and nobody hears that the others have it.
  lab.drop = ({ to }) => to === A;
  lab.put(1, 'k', 'v');
  expect(lab.status(2)).toMatchObject({ commit: 1, last: { epoch: 1, index: 2 } });
  // The new primary has it, and so has a majority, but its own record is not durable.
  lab.drop = ({ to, from }) => to === A || from === A;
  lab.assign({ primary: B }, [2, 3]);
  lab.drop = ({ body }) => body.type === 'replicateAck';
  expect(lab.status(2).active).toBe(true);
  expect(lab.status(2).commit).toBe(3);
});

test('F8: an old record on a majority is not committed before the record of the epoch is', () => {
  const lab = activeLab();
  lab.drop = ({ to }) => to === A;
  lab.put(1, 'k', 'v');
  // Node 3 has promised and has the old record, but not the one that the new primary logged.
  lab.drop = ({ to, from, body }) => to === A || from === A || body.type === 'replicate';
  lab.assign({ primary: B }, [2, 3]);
  const ack = { shard: SHARD, epoch: 2, complete: true, applied: 1, mismatch: false };
  lab.deliver(3, 2, { type: 'replicateAck', shards: [{ ...ack, memory: 2, os: 2, disk: 2 }] });
  expect(lab.status(2)).toMatchObject({ active: false, commit: 1, last: { epoch: 2, index: 3 } });
  lab.deliver(3, 2, { type: 'replicateAck', shards: [{ ...ack, memory: 3, os: 3, disk: 3 }] });
  expect(lab.status(2)).toMatchObject({ active: true, commit: 3 });
});

test('F10: another life of the named primary does not activate', () => {
  const lab = activeLab();
  lab.crash(1);
  lab.start(1);
  lab.advance(5000);
  expect(lab.status(1)).toMatchObject({ role: 'primary', active: false });
  lab.assign({ primary: A, primaryGeneration: 2 as Generation });
  expect(lab.status(1).active).toBe(true);
});

test('F24: a stable configuration without this node ends its copy but not its promise', () => {
  const lab = activeLab(4);
  lab.put(1, 'k', 'v');
  lab.advance(100);
  expect(lab.status(4).entries).toBe(1);
  lab.assign({ stage: 'dual', next: [A, B, C], session: 2 });
  expect(lab.status(4).entries).toBe(1);
  lab.assign({ stage: 'switch' });
  expect(lab.status(4).entries).toBe(1);
  lab.assign({ stage: 'stable', replicas: [A, B, C], next: [], session: 0 });
  lab.advance(500);
  expect(lab.status(4)).toMatchObject({
    entries: 0,
    last: { index: 0 },
    promised: 3,
    role: 'none',
  });
  expect(
    [...lab.disk(4).keys()].filter((key) => key.includes('/e/') || key.includes('/l/')),
  ).toEqual([]);
  expect(lab.events.some(({ event }) => event.name === 'shard.dropped')).toBe(true);
});

test('F24: a configuration older than the promise ends nothing', () => {
  const lab = activeLab(4);
  lab.put(1, 'k', 'v');
  lab.advance(100);
  lab.deliver(2, 4, { type: 'promise', shards: [{ shard: SHARD, epoch: 9 }] });
  lab.assign({ replicas: [A, B, C] }, [4]);
  expect(lab.status(4).entries).toBe(1);
});
