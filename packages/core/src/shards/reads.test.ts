import { decodeEntry } from '@memgrid/protocol';
import type { Answer, Condition } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { labEntry, labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';
import { SILENCE_MS_MAX, STALENESS_UNKNOWN_MS } from './following.ts';

const [A, B, C] = [labNode(1), labNode(2), labNode(3)];

function activeLab(): ShardLab {
  const lab = new ShardLab({ nodes: 3 });
  lab.assign({ primary: A });
  lab.advance(100);
  return lab;
}

test('F11: a majority answers without the primary', () => {
  const lab = activeLab();
  lab.put(1, 'k', 'v');
  lab.advance(100);
  lab.crash(1);
  const read = lab.get(2, 'k', { read: 'quorum' });
  expect(lab.answers.get(read)?.result).toMatchObject({ kind: 'found', source: 'quorum' });
});

test('F11: one replica alone is no majority', () => {
  const lab = activeLab();
  lab.crash(1);
  lab.crash(3);
  const read = lab.get(2, 'k', { read: 'quorum', timeoutMs: 500 });
  lab.advance(600);
  expect(lab.answers.get(read)?.result).toMatchObject({
    kind: 'failed',
    code: 'TIMEOUT',
    applied: 'no',
  });
});

test('F11: a replica without a record of the epoch does not answer', () => {
  const lab = activeLab();
  lab.sent.length = 0;
  lab.deliver(2, 3, { type: 'promise', shards: [{ shard: SHARD, epoch: 2 }] });
  lab.deliver(2, 3, {
    type: 'keyQuery',
    shard: SHARD,
    epoch: 2,
    query: 1,
    namespace: 'n',
    key: 'k',
  });
  const answers = lab.sent.flatMap(({ body }) => (body.type === 'keyQueryResp' ? [body] : []));
  expect(answers).toMatchObject([{ inSync: false }]);
});

test('F11: what only some have is brought to a majority before it is shown', () => {
  const lab = activeLab();
  // Node 2 has the record, node 3 does not, and the primary is gone before it could commit.
  lab.drop = ({ to }) => to === A || to === C;
  lab.put(1, 'k', 'v');
  lab.crash(1);
  lab.drop = () => false;
  expect([lab.status(2).last.index, lab.status(3).last.index]).toEqual([2, 1]);
  const read = lab.get(3, 'k', { read: 'quorum' });
  expect(lab.answers.has(read)).toBe(false);
  lab.advance(1000);
  expect(lab.answers.get(read)?.result.kind).toBe('found');
  expect(lab.status(3).last.index).toBe(2);
});

test('F12: a strong read is answered when a majority says that the epoch holds', () => {
  const lab = activeLab();
  lab.put(1, 'k', 'v');
  lab.drop = ({ body }) => body.type === 'epochPong';
  const read = lab.get(1, 'k', { read: 'strong' });
  expect(lab.answers.has(read)).toBe(false);
  lab.drop = () => false;
  lab.advance(1000);
  expect(lab.answers.get(read)?.result).toMatchObject({ kind: 'found', source: 'primary' });
});

test('F12: a primary that was replaced answers no strong read', () => {
  const lab = activeLab();
  lab.assign({ primary: B }, [2, 3]);
  const token = lab.put(2, 'k', 'new');
  expect(lab.answers.get(token)?.result.kind).toBe('written');
  const read = lab.get(1, 'k', { read: 'strong', timeoutMs: 300 });
  lab.advance(400);
  expect(lab.answers.get(read)?.result.kind).toBe('failed');
});

test('F12: one question serves all strong reads of a step', () => {
  const lab = activeLab();
  lab.sent.length = 0;
  const get = { kind: 'get', namespace: 'n', key: 'k' } as const;
  const base = { shard: SHARD, operationId: '', durability: 'quorum', sync: 'disk' } as const;
  lab.input(1, {
    kind: 'operations',
    operations: Array.from({ length: 50 }, (_, at) => ({
      token: 1000 + at,
      operation: {
        ...base,
        id: at,
        body: get,
        read: 'strong',
        timeoutMs: 1000,
        noAutonomous: false,
        atLeast: 0,
      },
    })),
  });
  expect(lab.sent.filter(({ body }) => body.type === 'epochPing')).toHaveLength(2);
  expect([...lab.answers.keys()].filter((token) => token >= 1000)).toHaveLength(50);
});

test('F12: a strong read is not older than a record that a majority has', () => {
  const lab = activeLab();
  // A majority logs the write, and the primary does not hear that it did.
  lab.drop = ({ to, body }) => to === A && body.type === 'replicateAck';
  lab.put(1, 'k', 'v');
  const quorum = lab.get(2, 'k', { read: 'quorum' });
  expect(lab.answers.get(quorum)?.result.kind).toBe('found');
  const strong = lab.get(1, 'k', { read: 'strong' });
  expect(lab.answers.has(strong)).toBe(false);
  lab.drop = () => false;
  lab.advance(1000);
  expect(lab.answers.get(strong)?.result.kind).toBe('found');
});

test('F13: a read waits for what its session has seen', () => {
  const lab = activeLab();
  lab.drop = ({ to }) => to === C;
  const token = lab.put(1, 'k', 'v');
  const seen = lab.answers.get(token)?.position.index ?? 0;
  const read = lab.get(3, 'k', { atLeast: seen });
  const old = lab.get(3, 'k', { atLeast: seen - 1 });
  expect(lab.answers.get(old)?.result.kind).toBe('absent');
  expect(lab.answers.has(read)).toBe(false);
  lab.drop = () => false;
  lab.advance(1500);
  expect(lab.answers.get(read)?.result).toMatchObject({ kind: 'found', source: 'replica' });
});

test('F13: without a majority a session still sees what it wrote at one', () => {
  const lab = activeLab();
  lab.alive(1);
  lab.drop = ({ to }) => to !== A;
  const written = lab.answers.get(lab.put(1, 'k', 'v', { durability: 'one' }));
  const seen = { atLeast: written?.position.index ?? 0 };
  expect(seen.atLeast).toBe(2);
  expect(lab.answers.get(lab.get(1, 'k', seen))?.result.kind).toBe('found');
  // What waits for a majority is shown to nobody.
  lab.put(1, 'other', 'v');
  expect(lab.answers.has(lab.get(1, 'other', seen))).toBe(false);
});

test('F13: a node that holds nothing of the shard says who does', () => {
  const lab = new ShardLab({ nodes: 4 });
  lab.assign({ primary: A, replicas: [A, B, C] });
  const read = lab.get(4, 'k');
  expect(lab.answers.get(read)?.result).toMatchObject({
    code: 'NOT_PRIMARY',
    hint: A,
    applied: 'no',
  });
});

test('F13: a joiner does not call absent what it has not got yet', () => {
  const lab = new ShardLab({ nodes: 4 });
  lab.assign({ primary: A, replicas: [A, B, C] });
  lab.put(1, 'k', 'v');
  lab.drop = ({ to, body }) => to === labNode(4) && body.type === 'replicate';
  lab.assign({ stage: 'dual', next: [A, B, labNode(4)], session: 2 });
  const dual = lab.get(4, 'k');
  expect(lab.answers.get(dual)?.result).toMatchObject({ code: 'NOT_PRIMARY', hint: A });
  lab.assign({ stage: 'switch' });
  const early = lab.get(4, 'k');
  expect(lab.answers.has(early)).toBe(false);
  lab.drop = () => false;
  lab.advance(1500);
  expect(lab.answers.get(early)?.result.kind).toBe('found');
});

test('F14: a refusal is told only after a majority confirmed the primary', () => {
  const lab = activeLab();
  lab.put(1, 'k', 'v');
  lab.drop = ({ body }) => body.type === 'epochPong';
  const condition: Condition = { kind: 'absent' };
  const token = lab.ask(1, {
    operationId: lab.operationId(),
    body: { kind: 'put', namespace: 'n', key: 'k', entry: labEntry('w'), condition },
  });
  expect(lab.answers.has(token)).toBe(false);
  lab.drop = () => false;
  lab.advance(1000);
  expect(lab.answers.get(token)?.result).toMatchObject({ code: 'VERSION_CONFLICT', applied: 'no' });
});

test('F14: a condition sees writes that are logged and not committed', () => {
  const lab = activeLab();
  lab.drop = ({ to }) => to !== A;
  lab.put(1, 'k', 'v');
  const token = lab.ask(1, {
    operationId: lab.operationId(),
    body: {
      kind: 'put',
      namespace: 'n',
      key: 'k',
      entry: labEntry('w'),
      condition: { kind: 'absent' },
    },
  });
  expect(lab.status(1).last.index).toBe(2);
  lab.drop = () => false;
  lab.advance(2000);
  expect(lab.answers.get(token)?.result).toMatchObject({ code: 'VERSION_CONFLICT' });
});

test('F13: what was collected is not seen again after a quorum read', () => {
  const lab = new ShardLab({ nodes: 3, config: { collectAfterMs: 1000 } });
  lab.assign({ primary: A });
  lab.put(1, 'k', 'v');
  const deleted = lab.answers.get(lab.delete(1, 'k'))?.position.index;
  lab.advance(5000);
  expect(lab.status(2).entries).toBe(0);
  const answer = lab.answers.get(lab.get(2, 'k', { read: 'quorum' }));
  expect(answer?.result.kind).toBe('absent');
  expect(answer?.position.index).toBeGreaterThanOrEqual(deleted as number);
  expect(answer?.position).toEqual(lab.status(1).last);
});

function stalenessOf(lab: ShardLab, number: number): number {
  const result = lab.answers.get(lab.get(number, 'k'))?.result;
  if (result?.kind !== 'found') throw new Error('Nothing was found.');
  return result.stalenessMs;
}

test('F25: an idle replica does not grow old while a majority and the primary live', () => {
  const lab = activeLab();
  lab.put(1, 'k', 'v');
  lab.alive(1, 2, 3);
  lab.advance(1000);
  expect(stalenessOf(lab, 3)).toBeLessThanOrEqual(1000);
  lab.advance(3_600_000);
  expect(stalenessOf(lab, 3)).toBe(SILENCE_MS_MAX);
  // What gossip noticed late may have happened that long before.
  lab.alive(2, 3);
  lab.advance(10_000);
  expect(stalenessOf(lab, 3)).toBe(SILENCE_MS_MAX + 10_000);
  // It lives again, but there may have been another one: only its word helps.
  lab.alive(1, 2, 3);
  lab.advance(1000);
  expect(stalenessOf(lab, 3)).toBe(SILENCE_MS_MAX + 11_000);
  lab.put(1, 'k', 'w');
  lab.advance(1000);
  expect(stalenessOf(lab, 3)).toBeLessThanOrEqual(1000);
  // On the small side of a split the others may go on with another primary.
  lab.advance(3_600_000);
  lab.alive(3);
  lab.advance(10_000);
  expect(stalenessOf(lab, 3)).toBe(SILENCE_MS_MAX + 10_000);
});

test('F25: who lacks what it was told of, or has heard of another epoch, grows old', () => {
  const lab = activeLab();
  lab.put(1, 'k', 'v');
  lab.alive(1, 2, 3);
  lab.advance(3_600_000);
  lab.drop = ({ from, to }) => from === B && to === C;
  lab.assign({ primary: B });
  lab.advance(10_000);
  expect(stalenessOf(lab, 3)).toBe(SILENCE_MS_MAX + 10_000);
});

test('F25: after a restart nobody is told a number without end', () => {
  const lab = activeLab();
  lab.put(1, 'k', 'v');
  lab.advance(1000);
  lab.drop = ({ to }) => to === C;
  lab.crash(3);
  lab.start(3);
  expect(stalenessOf(lab, 3)).toBe(STALENESS_UNKNOWN_MS);
});

test('F19: an expired entry is invisible at every level before anybody removed it', () => {
  const lab = activeLab();
  const entry = labEntry('v', { expiresAt: lab.wallMs + 1000 });
  lab.ask(1, {
    operationId: lab.operationId(),
    body: { kind: 'put', namespace: 'n', key: 'k', entry, condition: { kind: 'always' } },
  });
  lab.advance(500);
  const before = lab.get(2, 'k');
  expect(lab.answers.get(before)?.result.kind).toBe('found');
  lab.advance(600);
  for (const read of ['one', 'quorum', 'strong'] as const) {
    const token = lab.get(1, 'k', { read });
    expect(lab.answers.get(token)?.result.kind).toBe('absent');
  }
  expect(lab.status(1).entries).toBe(1);
});

test('a list shows a scope in order, in pages, and counts it', () => {
  const lab = activeLab();
  for (let number = 0; number < 12; number += 1) {
    const entry = labEntry(`${number}`, { runId: number % 2 === 0 ? 'even' : 'odd' });
    lab.ask(1, {
      operationId: lab.operationId(),
      body: {
        kind: 'put',
        namespace: 'n',
        key: `k${String(number).padStart(2, '0')}`,
        entry,
        condition: { kind: 'always' },
      },
    });
  }
  lab.delete(1, 'k04');
  const scope = { namespace: 'n', userId: 'u', agentId: '', appId: '', runId: 'even' };
  const list = (after: string, countOnly: boolean): unknown => {
    const token = lab.ask(1, {
      read: 'strong',
      body: { kind: 'list', scope, after, limit: 3, countOnly },
    });
    return lab.answers.get(token)?.result;
  };
  expect(list('', false)).toMatchObject({
    entries: [{ key: 'k00' }, { key: 'k02' }, { key: 'k06' }],
    more: true,
  });
  expect(list('k06', false)).toMatchObject({
    entries: [{ key: 'k08' }, { key: 'k10' }],
    more: false,
  });
  expect(list('', true)).toMatchObject({ entries: [], count: 5 });
});

test('a history shows what the retained log holds of a key, oldest first', () => {
  const lab = activeLab();
  lab.put(1, 'k', 'first');
  lab.put(1, 'other', 'x');
  lab.put(1, 'k', 'second');
  lab.delete(1, 'k');
  const token = lab.ask(1, { body: { kind: 'history', namespace: 'n', key: 'k' } });
  expect(lab.answers.get(token)?.result).toMatchObject({
    kind: 'history',
    complete: true,
    steps: [{ kind: 'put' }, { kind: 'put' }, { kind: 'delete' }],
  });
});

test('F13: what the disk read before the last write is not shown after it', () => {
  const lab = new ShardLab({ nodes: 3, entryBytesMax: 1 });
  lab.assign({});
  lab.advance(100);
  lab.put(1, 'x', 'first');
  lab.advance(1000);
  expect(lab.entries(2).get(SHARD, 0, 'n\0x')).toBe('paged');
  lab.holdReads(2);
  const early = lab.get(2, 'x', { read: 'one' });
  const token = lab.put(1, 'x', 'second');
  const { position } = lab.answers.get(token) as Answer;
  // Applied there, written, and dropped from memory, all while the disk still reads.
  lab.advance(1000);
  expect(lab.entries(2).get(SHARD, 0, 'n\0x')).toBe('paged');
  const late = lab.get(2, 'x', { read: 'one', atLeast: position.index });
  lab.tellReads(2);
  for (const asked of [early, late]) {
    const { result } = lab.answers.get(asked) as Answer;
    expect(result.kind === 'found' && decodeEntry(result.found.entry).content).toBe('second');
  }
});
