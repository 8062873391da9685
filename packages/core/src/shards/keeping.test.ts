import { expect, test } from 'vitest';
import {
  labEntry,
  labNode,
  SHARD,
  ShardLab,
  type LabOptions,
  type Sent,
} from '../testing/shard-lab.ts';

const [A, B, C] = [labNode(1), labNode(2), labNode(3)];

function activeLab(options: Partial<LabOptions> = {}): ShardLab {
  const lab = new ShardLab({ nodes: 3, ...options });
  lab.assign({ primary: A });
  lab.advance(100);
  return lab;
}

function names(lab: ShardLab): readonly string[] {
  return lab.events.map(({ event }) => event.name);
}

function kindOf(lab: ShardLab, token: number): string | undefined {
  return lab.answers.get(token)?.result.kind;
}

test('F18: a tombstone is forgotten by everybody when it is old', () => {
  const lab = activeLab({ config: { collectAfterMs: 1000 } });
  lab.put(1, 'k', 'v');
  lab.put(1, 'kept', 'v');
  lab.delete(1, 'k');
  lab.advance(900);
  expect([1, 2, 3].map((number) => lab.status(number).entries)).toEqual([2, 2, 2]);
  lab.advance(2000);
  expect([1, 2, 3].map((number) => lab.status(number).entries)).toEqual([1, 1, 1]);
  expect(names(lab).filter((name) => name === 'shard.collected')).toHaveLength(3);
});

test('F18: a collection that was cut off is proposed again by the same node', () => {
  const lab = activeLab({ config: { collectAfterMs: 1000 } });
  lab.delete(1, 'k');
  lab.advance(500);
  lab.drop = ({ from, body }) => from === A && body.type === 'replicate';
  while (lab.status(1).last.index === 2) lab.advance(10);
  lab.drop = ({ from, to }) => from === A || to === A;
  lab.assign({ primary: B }, [2, 3]);
  expect(lab.status(2)).toMatchObject({ active: true, last: { epoch: 2, index: 3 } });
  lab.drop = () => false;
  lab.assign({ primary: A });
  expect(lab.status(1)).toMatchObject({ active: true, entries: 1 });
  lab.advance(5000);
  expect([1, 2, 3].map((number) => lab.status(number).entries)).toEqual([0, 0, 0]);
});

test('F18: it stays while one replica has not applied it', () => {
  const lab = activeLab({ config: { collectAfterMs: 1000 } });
  lab.put(1, 'k', 'v');
  lab.advance(100);
  lab.crash(3);
  lab.delete(1, 'k');
  lab.advance(30_000);
  expect(lab.status(1).entries).toBe(1);
  lab.start(3);
  lab.advance(30_000);
  expect([1, 2, 3].map((number) => lab.status(number).entries)).toEqual([0, 0, 0]);
});

test('F19: an expired entry is removed by every replica for itself', () => {
  const lab = activeLab({ config: { collectAfterMs: 1000 } });
  const entry = labEntry('v', { expiresAt: lab.wallMs + 500 });
  lab.ask(1, {
    operationId: lab.operationId(),
    body: { kind: 'put', namespace: 'n', key: 'k', entry, condition: { kind: 'always' } },
  });
  lab.advance(200);
  const index = lab.status(1).last.index;
  lab.advance(5000);
  expect([1, 2, 3].map((number) => lab.status(number).entries)).toEqual([0, 0, 0]);
  expect(lab.status(1).last.index).toBe(index);
  lab.crash(2);
  lab.start(2);
  expect(lab.status(2).entries).toBe(0);
});

test('F20: a write without the primary is merged when that is back', () => {
  const lab = activeLab();
  lab.put(1, 'k', 'before');
  lab.advance(100);
  lab.alive(2, 3);
  lab.drop = ({ to, from }) => to === A || from === A;
  const token = lab.put(2, 'k', 'island', { durability: 'one' });
  expect(lab.answers.get(token)?.result).toMatchObject({
    kind: 'written',
    acknowledged: 'local',
    autonomous: true,
  });
  lab.crash(2);
  lab.start(2);
  lab.drop = () => false;
  lab.alive(1, 2, 3);
  lab.advance(5000);
  expect(names(lab)).toContain('orphan.merged');
  const read = lab.answers.get(lab.get(1, 'k', { read: 'strong' }))?.result;
  expect(read).toMatchObject({ kind: 'found', found: { version: { dot: { actor: `${B}.1` } } } });
  expect([...lab.disk(2).keys()].filter((key) => key.includes('/r/'))).toEqual([]);
});

test('F16: a repetition at an island is answered like the first', () => {
  const lab = activeLab();
  lab.alive(2, 3);
  lab.drop = ({ to }) => to === A;
  const operationId = lab.operationId();
  const first = lab.put(2, 'k', 'v', { operationId, durability: 'one' });
  const again = lab.put(2, 'k', 'v', { operationId, durability: 'one' });
  const other = lab.put(2, 'k', 'w', { operationId, durability: 'one' });
  const version = (token: number): unknown => {
    const result = lab.answers.get(token)?.result;
    return result?.kind === 'written' ? [result.version, result.repeated] : result;
  };
  expect(version(again)).toEqual([(version(first) as unknown[])[0], true]);
  expect(version(other)).toMatchObject({ code: 'OPERATION_REUSED' });
});

test('F20: both sides of a split survive it as concurrent values, the later one shown', () => {
  const lab = activeLab();
  lab.advance(100);
  lab.alive(2);
  lab.drop = ({ to, from }) => to === B || from === B;
  lab.put(2, 'k', 'island', { durability: 'one' });
  lab.alive(1, 3);
  lab.advance(50);
  expect(kindOf(lab, lab.put(1, 'k', 'mainland'))).toBe('written');
  lab.drop = () => false;
  lab.alive(1, 2, 3);
  lab.advance(5000);
  const read = lab.answers.get(lab.get(3, 'k'))?.result;
  expect(read).toMatchObject({ kind: 'found', found: { version: { dot: { actor: `${A}.1` } } } });
  expect(lab.status(1).last).toEqual(lab.status(2).last);
});

test('F20: the node that took it shows it at one before it is merged', () => {
  const lab = activeLab();
  lab.alive(2, 3);
  lab.drop = ({ to }) => to === A;
  lab.put(2, 'k', 'island', { durability: 'one' });
  expect(kindOf(lab, lab.get(2, 'k'))).toBe('found');
  expect(kindOf(lab, lab.get(3, 'k'))).toBe('absent');
});

test('F20: what was answered at one and cut off comes back', () => {
  const lab = activeLab();
  lab.drop = ({ from }) => from === A;
  const token = lab.put(1, 'k', 'early', { durability: 'one' });
  expect(lab.answers.get(token)?.result).toMatchObject({ acknowledged: 'local' });
  lab.assign({ primary: B }, [2, 3]);
  lab.put(2, 'other', 'v');
  lab.drop = () => false;
  lab.assign({ epoch: 2, primary: B }, [1]);
  lab.advance(20_000);
  expect(names(lab)).toContain('shard.truncated');
  expect(kindOf(lab, lab.get(2, 'k', { read: 'strong' }))).toBe('found');
});

test('F20: whoever does not want that is refused', () => {
  const lab = activeLab();
  lab.alive(2, 3);
  const token = lab.put(2, 'k', 'v', { durability: 'one', noAutonomous: true });
  expect(lab.answers.get(token)?.result).toMatchObject({ code: 'NOT_PRIMARY', applied: 'no' });
  const quorum = lab.put(2, 'k', 'v');
  expect(lab.answers.get(quorum)?.result).toMatchObject({ code: 'NOT_PRIMARY', applied: 'no' });
});

test('F21: an orphan from before a collected delete is parked', () => {
  const lab = activeLab({ config: { collectAfterMs: 1000 } });
  lab.put(1, 'k', 'v');
  lab.advance(100);
  lab.alive(2);
  // Node 2 is heard as a replica, but it hears of no primary.
  lab.drop = ({ from, body }) => from === B && body.type === 'offerOrphan';
  lab.put(2, 'k', 'island', { durability: 'one' });
  lab.alive(1, 2, 3);
  lab.advance(500);
  lab.delete(1, 'k');
  lab.advance(5000);
  expect(lab.status(1).entries).toBe(0);
  lab.drop = () => false;
  lab.advance(5000);
  expect(names(lab)).toContain('orphan.parked');
  expect(kindOf(lab, lab.get(1, 'k', { read: 'strong' }))).toBe('absent');
  expect([...lab.disk(2).keys()].filter((key) => key.includes('/r/'))).toHaveLength(1);
});

/** An island's write, then one that expires and is removed by everybody but node 3. */
function outlivedLab(): ShardLab {
  const lab = activeLab({ config: { collectAfterMs: 1000, logRecordsMax: 2 } });
  lab.put(1, 'k', 'v');
  lab.advance(100);
  lab.alive(2);
  lab.drop = ({ body }) => body.type === 'offerOrphan';
  lab.put(2, 'k', 'island', { durability: 'one' });
  lab.alive(1, 2, 3);
  lab.advance(500);
  const entry = labEntry('short', { expiresAt: lab.wallMs + 200 });
  const condition = { kind: 'always' } as const;
  const body = { kind: 'put', namespace: 'n', key: 'k', entry, condition } as const;
  lab.ask(1, { operationId: lab.operationId(), body });
  lab.advance(3000);
  expect(lab.status(1).entries).toBe(0);
  return lab;
}

test('F21: an orphan from before an entry that expired and was removed is parked', () => {
  const lab = outlivedLab();
  lab.crash(1);
  lab.start(1);
  lab.assign({ primary: A });
  lab.drop = () => false;
  lab.advance(5000);
  expect(names(lab)).toContain('orphan.parked');
  expect(kindOf(lab, lab.get(1, 'k', { read: 'strong' }))).toBe('absent');
});

test('F21: who is streamed a copy learns what was removed from it', () => {
  const lab = outlivedLab();
  for (let number = 0; number < 10; number += 1) lab.put(1, `x${number}`, 'v');
  lab.advance(1000);
  lab.put(1, 'y', 'v');
  lab.advance(1000);
  lab.assign({ stage: 'stable', replicas: [A] });
  lab.advance(500);
  lab.assign({ stage: 'dual', next: [C], session: 2 });
  lab.advance(5000);
  lab.assign({ stage: 'switch', primary: C });
  lab.assign({ stage: 'stable', primary: C, replicas: [C], next: [], session: 0 });
  lab.advance(500);
  expect(lab.status(3).active).toBe(true);
  lab.drop = () => false;
  lab.advance(5000);
  expect(kindOf(lab, lab.get(3, 'k', { read: 'strong' }))).toBe('absent');
});

/** A shard of many entries on node 1 alone, whose log no longer reaches back. */
function longLab(count: number): ShardLab {
  const lab = new ShardLab({ nodes: 3, config: { logRecordsMax: 2, streamChunkEntries: 5 } });
  lab.assign({ primary: A, replicas: [A] });
  for (let number = 0; number < count; number += 1) lab.put(1, `k${number}`, 'v');
  lab.advance(1000);
  lab.put(1, 'last', 'v');
  lab.advance(1000);
  return lab;
}

test('F22: a joiner becomes whole by a stream, while writes go on', () => {
  const lab = longLab(60);
  lab.drop = ({ body }) => body.type === 'streamChunk' && body.chunk === 6;
  lab.assign({ stage: 'dual', next: [B], session: 2 });
  lab.advance(600);
  expect(lab.status(2).complete).toBe(false);
  lab.put(1, 'k3', 'changed');
  lab.delete(1, 'k4');
  lab.drop = () => false;
  lab.advance(20_000);
  expect(lab.status(2)).toMatchObject({ complete: true, entries: 61, slot: 1 });
  for (const key of lab.entries(1).keys(SHARD, 0, '', 1000)) {
    expect(lab.entries(2).get(SHARD, 1, key)).toEqual(lab.entries(1).get(SHARD, 0, key));
  }
  const report = lab.reports.findLast(({ node }) => node === A)?.report;
  expect(report?.caughtUp).toContain(B);
});

test('F22: a crash before the end leaves the old copy, and the next stream begins empty', () => {
  const lab = longLab(60);
  lab.drop = ({ body }) => body.type === 'streamChunk' && body.chunk > 18;
  lab.assign({ stage: 'dual', next: [B], session: 2 });
  lab.advance(1000);
  expect(lab.entries(2).count(SHARD, 1)).toBeGreaterThan(0);
  lab.crash(2);
  lab.start(2);
  expect(lab.status(2)).toMatchObject({ slot: 0, entries: 0 });
  // Deleted and forgotten meanwhile: nothing of the first stream may bring it back.
  lab.delete(1, 'k0');
  lab.drop = () => false;
  lab.advance(30_000);
  expect(lab.status(2)).toMatchObject({ complete: true, slot: 1 });
  expect(lab.entries(2).count(SHARD, 1)).toBe(lab.entries(1).count(SHARD, 0));
  lab.crash(2);
  lab.start(2);
  expect(lab.status(2)).toMatchObject({ slot: 1, entries: 61 });
});

test('F22: until the batch of the flip is durable nothing is acknowledged as whole', () => {
  const lab = longLab(20);
  lab.drop = ({ body }) => body.type === 'streamChunk' && body.doneAt > 0;
  lab.assign({ stage: 'dual', next: [B], session: 2 });
  lab.advance(300);
  lab.drop = () => false;
  lab.holdDisk(2);
  lab.sent.length = 0;
  lab.advance(3000);
  const acks = lab.sent
    .filter(({ from }) => from === B)
    .flatMap(({ body }) => (body.type === 'replicateAck' ? body.shards : []));
  expect(acks.filter(({ complete, memory }) => complete && memory > 0)).toEqual([]);
  lab.crash(2);
  lab.start(2);
  expect(lab.status(2)).toMatchObject({ slot: 0, entries: 0 });
});

test('F22: who feeds another from a copy that is replaced ends the stream', () => {
  const lab = longLab(30);
  lab.assign({ stage: 'dual', next: [B], session: 2 });
  lab.advance(5000);
  expect(lab.status(2)).toMatchObject({ complete: true, slot: 1 });
  // Node 2 misses so much that it needs a stream again.
  lab.drop = ({ to }) => to === B;
  for (let number = 0; number < 20; number += 1) {
    lab.put(1, `more${number}`, 'v', { timeoutMs: 50, durability: 'one' });
  }
  lab.assign({ stage: 'stable', replicas: [A], next: [], session: 0 }, [1]);
  lab.advance(1000);
  lab.put(1, 'trim', 'v');
  lab.advance(1000);
  lab.assign({ stage: 'dual', next: [B], session: 5 }, [1, 2]);
  const isUnheard = ({ from, body }: Sent): boolean => from === C && body.type === 'streamAck';
  lab.drop = (message) => {
    return (message.to === B && message.body.type === 'streamChunk') || isUnheard(message);
  };
  lab.advance(2000);
  const stream = 77;
  lab.deliver(3, 2, {
    type: 'streamOpen',
    shard: SHARD,
    epoch: lab.status(2).promised,
    session: 5,
    stream,
    keys: [],
  });
  lab.drop = isUnheard;
  lab.advance(20_000);
  expect(lab.status(2)).toMatchObject({ complete: true, slot: 0 });
  const toC = lab.sent.filter(({ from, to }) => from === B && to === C);
  expect(toC.map(({ body }) => body)).toContainEqual({
    type: 'streamRefused',
    shard: SHARD,
    stream,
    reason: 'closed',
  });
  expect(toC.some(({ body }) => body.type === 'streamChunk' && body.doneAt > 0)).toBe(false);
});

test('F22: remembered operations come along', () => {
  const lab = longLab(0);
  const operationId = lab.operationId();
  lab.put(1, 'k', 'v', { operationId });
  for (let number = 0; number < 10; number += 1) lab.put(1, `x${number}`, 'v');
  lab.advance(1000);
  lab.put(1, 'y', 'v');
  lab.advance(1000);
  lab.assign({ stage: 'dual', next: [B], session: 2 });
  lab.advance(5000);
  lab.assign({ stage: 'switch', primary: B });
  lab.advance(1000);
  expect(lab.status(2).active).toBe(true);
  const again = lab.put(2, 'k', 'v', { operationId });
  expect(lab.answers.get(again)?.result).toMatchObject({ kind: 'written', repeated: true });
});

test('F23: a damaged entry is fetched from another replica before anybody sees it', () => {
  const lab = activeLab({ config: { logRecordsMax: 1 } });
  lab.put(1, 'k', 'v');
  for (let number = 0; number < 5; number += 1) lab.put(1, `k${number}`, 'v');
  lab.advance(1000);
  lab.put(1, 'x', 'v');
  lab.advance(1000);
  // At its start node 3 finds an entry that cannot be read.
  lab.crash(3);
  const disk = [...lab.disk(3).keys()].find((key) => key.endsWith('/e/n\0k')) as string;
  lab.disk(3).delete(disk);
  lab.start(3);
  lab.drop = ({ to, body }) => to === C && body.type === 'streamChunk';
  const problem = 'The checksum does not match.';
  lab.input(3, { kind: 'damaged', shard: SHARD, slot: 0, key: 'n\0k', problem });
  const read = lab.get(3, 'k');
  const scope = { namespace: 'n', userId: '', agentId: '', appId: '', runId: '' };
  const list = lab.ask(3, {
    body: { kind: 'list', scope, after: '', limit: 100, countOnly: true },
  });
  lab.advance(300);
  expect([lab.answers.has(read), lab.answers.has(list)]).toEqual([false, false]);
  lab.drop = () => false;
  lab.advance(1000);
  expect(kindOf(lab, read)).toBe('found');
  expect(lab.answers.get(list)?.result).toMatchObject({ count: 7 });
  expect(names(lab)).toContain('entry.refetched');
  expect(lab.disk(3).has(disk)).toBe(true);
});

test('F13: who was shown a mended entry is told of its record', () => {
  const lab = activeLab({ config: { logRecordsMax: 1 } });
  lab.put(1, 'k', 'v');
  for (let number = 0; number < 5; number += 1) lab.put(1, `k${number}`, 'v');
  lab.advance(1000);
  lab.put(1, 'x', 'v');
  lab.advance(1000);
  lab.crash(3);
  const disk = [...lab.disk(3).keys()].find((key) => key.endsWith('/e/n\0k')) as string;
  lab.disk(3).delete(disk);
  lab.start(3);
  // It is given the entry, and not the records before it.
  lab.drop = ({ to, body }) => to === C && body.type === 'replicate';
  const newer = lab.answers.get(lab.put(1, 'k', 'newer'))?.position;
  lab.advance(300);
  lab.input(3, { kind: 'damaged', shard: SHARD, slot: 0, key: 'n\0k', problem: 'Torn.' });
  lab.advance(300);
  expect(lab.status(3).applied).toBeLessThan(newer?.index as number);
  const scope = { namespace: 'n', userId: '', agentId: '', appId: '', runId: '' };
  const body = { kind: 'list', scope, after: '', limit: 100, countOnly: false } as const;
  for (const token of [lab.get(3, 'k'), lab.ask(3, { body })]) {
    expect(lab.answers.get(token)?.position).toEqual(newer);
  }
});

test('F23: what the log still holds needs nobody', () => {
  const lab = activeLab();
  lab.put(1, 'k', 'v');
  lab.advance(500);
  lab.crash(3);
  const disk = [...lab.disk(3).keys()].find((key) => key.endsWith('/e/n\0k')) as string;
  lab.disk(3).delete(disk);
  lab.start(3);
  lab.crash(1);
  lab.crash(2);
  lab.input(3, { kind: 'damaged', shard: SHARD, slot: 0, key: 'n\0k', problem: 'Torn.' });
  expect(kindOf(lab, lab.get(3, 'k'))).toBe('found');
});

test('values that are only on disk are read back for every kind of question', () => {
  const lab = activeLab({ entryBytesMax: 400, config: { logRecordsMax: 1 } });
  for (let number = 0; number < 20; number += 1) lab.put(1, `k${number}`, 'v');
  lab.advance(1000);
  expect(lab.entries(1).pagedCount).toBeGreaterThan(10);
  for (const read of ['one', 'quorum', 'strong'] as const) {
    expect(kindOf(lab, lab.get(1, 'k0', { read }))).toBe('found');
  }
  expect(kindOf(lab, lab.put(1, 'k1', 'w'))).toBe('written');
  const scope = { namespace: 'n', userId: 'u', agentId: '', appId: '', runId: '' };
  const list = lab.ask(1, {
    read: 'strong',
    body: { kind: 'list', scope, after: '', limit: 100, countOnly: false },
  });
  expect(lab.answers.get(list)?.result).toMatchObject({ more: false });
});
