import type { LogRecord, RecordBody, SyncClass } from '@memgrid/protocol';
import { encodeValue, recordBodyField } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';

const [A, B, C] = [labNode(1), labNode(2), labNode(3)];

function activeLab(nodes = 3): ShardLab {
  const lab = new ShardLab({ nodes });
  lab.assign({ primary: A });
  lab.advance(100);
  return lab;
}

function recordOf(epoch: number, index: number, sync: SyncClass = 'disk'): LogRecord {
  const body: RecordBody = { kind: 'activate' };
  return { epoch, index, sync, body: encodeValue(recordBodyField, body) };
}

test.each([
  { sync: 'memory', answered: true },
  { sync: 'os', answered: false },
  { sync: 'disk', answered: false },
] as const)('F3: at $sync, slow disks hold the answer back: $answered', ({ sync, answered }) => {
  const lab = activeLab();
  for (const number of [1, 2, 3]) lab.holdDisk(number);
  const token = lab.put(1, 'k', 'v', { sync });
  expect(lab.answers.has(token)).toBe(answered);
  // The primary and one more are a majority.
  lab.releaseDisk(1);
  expect(lab.answers.has(token)).toBe(answered);
  lab.releaseDisk(2);
  expect(lab.answers.get(token)?.result).toMatchObject({ acknowledged: 'quorum', sync });
});

test('F3: the replicas alone are a majority while the primary waits for its disk', () => {
  const lab = activeLab();
  lab.holdDisk(1);
  const token = lab.put(1, 'k', 'v');
  expect(lab.answers.get(token)?.result.kind).toBe('written');
});

test('F3: what was acknowledged is there after everybody lost power', () => {
  const lab = activeLab();
  const token = lab.put(1, 'k', 'v');
  expect(lab.answers.get(token)?.result.kind).toBe('written');
  for (const number of [1, 2, 3]) lab.crash(number);
  for (const number of [1, 2, 3]) lab.start(number);
  lab.assign({ primary: B });
  lab.advance(1000);
  const read = lab.get(2, 'k', { read: 'strong' });
  expect(lab.answers.get(read)?.result.kind).toBe('found');
});

test('F4: records that do not follow what is there are not taken', () => {
  const lab = activeLab();
  lab.sent.length = 0;
  const replicate = (previous: { epoch: number; index: number }, record: LogRecord): void => {
    lab.deliver(2, 3, {
      type: 'replicate',
      shards: [{ shard: SHARD, epoch: 2, previous, commit: 0, records: [record] }],
    });
  };
  replicate({ epoch: 1, index: 7 }, recordOf(2, 8));
  expect(lab.status(3).last).toEqual({ epoch: 1, index: 1 });
  const [ack] = lab.sent.flatMap(({ body }) => (body.type === 'replicateAck' ? body.shards : []));
  expect(ack).toMatchObject({ mismatch: true, memory: 1 });
  replicate({ epoch: 1, index: 1 }, recordOf(2, 2));
  expect(lab.status(3).last).toEqual({ epoch: 2, index: 2 });
});

test('F4: a conflicting tail gives way to the later epoch', () => {
  const lab = activeLab();
  const send = (epoch: number, records: readonly LogRecord[]): void => {
    const previous = { epoch: 1, index: 1 };
    lab.deliver(2, 3, {
      type: 'replicate',
      shards: [{ shard: SHARD, epoch, previous, commit: 0, records }],
    });
  };
  send(2, [recordOf(2, 2), recordOf(2, 3)]);
  expect(lab.status(3).last).toEqual({ epoch: 2, index: 3 });
  send(3, [recordOf(3, 2)]);
  expect(lab.status(3).last).toEqual({ epoch: 3, index: 2 });
  lab.crash(3);
  lab.start(3);
  expect(lab.status(3).last).toEqual({ epoch: 3, index: 2 });
});

test('F4: a majority that lost records below disk takes the others along', () => {
  const lab = activeLab();
  const token = lab.put(1, 'k', 'v', { sync: 'memory' });
  lab.advance(100);
  expect(lab.answers.get(token)?.result.kind).toBe('written');
  // Two of three forget it: what the guarantee of `memory` excludes. Node 3 has applied it.
  for (const number of [1, 2]) {
    lab.crash(number);
    for (const key of [...lab.disk(number).keys()]) {
      if (key.endsWith('/l/00000000000002') || key.includes('/e/') || key.endsWith('/a')) {
        lab.disk(number).delete(key);
      }
    }
    lab.start(number);
  }
  lab.drop = ({ to, from }) => to === C || from === C;
  lab.assign({ primary: B });
  lab.put(2, 'other', 'w');
  lab.drop = () => false;
  lab.advance(20_000);
  expect(lab.status(3)).toMatchObject({ complete: true, entries: 1, last: lab.status(2).last });
  expect(lab.events.some(({ event }) => event.name === 'shard.streamed')).toBe(true);
});

test('F5: what is logged and not committed takes no effect', () => {
  const lab = activeLab();
  lab.drop = ({ to }) => to !== C;
  lab.put(1, 'k', 'v');
  expect(lab.status(1)).toMatchObject({ last: { index: 2 }, commit: 1, applied: 1, entries: 0 });
  const read = lab.get(1, 'k');
  expect(lab.answers.get(read)?.result.kind).toBe('absent');
});

test('F5: every replica tells the same changes in the same order', () => {
  const lab = activeLab();
  for (let number = 0; number < 20; number += 1) lab.put(1, `k${number % 3}`, `${number}`);
  lab.advance(500);
  const heard = [1, 2, 3].map((number) =>
    lab.changes.filter(({ node }) => node === labNode(number)).map(({ change }) => change),
  );
  expect(heard[0]).toHaveLength(21);
  expect(heard[1]).toEqual(heard[0]);
  expect(heard[2]).toEqual(heard[0]);
  expect(heard[0]?.map(({ index }) => index)).toEqual(
    Array.from({ length: 21 }, (_, at) => at + 1),
  );
});

test('F9: in a move a write needs a majority of both sets', () => {
  const lab = new ShardLab({ nodes: 5 });
  lab.assign({ primary: A, replicas: [A, B, C] });
  lab.assign({ stage: 'dual', next: [A, labNode(4), labNode(5)], session: 2 });
  lab.advance(2000);
  expect(lab.status(1).active).toBe(true);
  lab.drop = ({ to }) => to === labNode(4) || to === labNode(5);
  const old = lab.put(1, 'k', 'v', { timeoutMs: 100 });
  lab.advance(150);
  expect(lab.answers.get(old)?.result).toMatchObject({ code: 'TIMEOUT', applied: 'unknown' });
  lab.drop = ({ to }) => to === labNode(4) || to === C;
  lab.advance(5000);
  const both = lab.put(1, 'k', 'w');
  lab.advance(5000);
  expect(lab.answers.get(both)?.result.kind).toBe('written');
});

test('F9: joiners whose base is on its way count in dual and not in switch', () => {
  const lab = new ShardLab({ nodes: 4, config: { logRecordsMax: 1 } });
  lab.assign({ primary: A, replicas: [A] });
  for (let number = 0; number < 10; number += 1) lab.put(1, `k${number}`, 'v');
  lab.advance(1000);
  lab.put(1, 'trim', 'v');
  lab.advance(1000);
  // Chunks of the stream are lost after the first one, so the joiners stay incomplete.
  lab.drop = ({ body }) => body.type === 'streamChunk' && body.chunk > 1;
  lab.assign({ stage: 'dual', next: [B, C, labNode(4)], session: 2 });
  lab.advance(1500);
  expect(lab.status(2).complete).toBe(false);
  expect(lab.status(1).active).toBe(true);
  const dual = lab.put(1, 'dual', 'v');
  expect(lab.answers.get(dual)?.result.kind).toBe('written');
  lab.assign({ stage: 'switch' });
  lab.advance(1000);
  expect(lab.status(1).active).toBe(false);
  lab.drop = () => false;
  lab.advance(20_000);
  expect(lab.status(1).active).toBe(true);
});
