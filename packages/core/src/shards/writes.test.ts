import { expect, test } from 'vitest';
import { decodeValue, entryBodyField } from '@memgrid/protocol';
import type { Dot, EntryBody, Operation, ShardId } from '@memgrid/protocol';
import { labEntry, labNode, SHARD, ShardLab, type LabOptions } from '../testing/shard-lab.ts';
import { DOTS_KEY } from './dot-lease.ts';
import { decodeState } from './entry-view.ts';
import { enqueue } from './waiting-operation.ts';

const [A, B, C] = [labNode(1), labNode(2), labNode(3)];

function activeLab(options: Partial<LabOptions> = {}): ShardLab {
  const lab = new ShardLab({ nodes: 3, ...options });
  lab.assign({ primary: A });
  lab.advance(100);
  return lab;
}

function resultOf(lab: ShardLab, token: number): unknown {
  return lab.answers.get(token)?.result;
}

function bodyOf(lab: ShardLab, token: number): EntryBody {
  const result = lab.answers.get(token)?.result;
  if (result?.kind !== 'found') throw new Error(`Nothing was found: ${JSON.stringify(result)}.`);
  return decodeValue(entryBodyField, result.found.entry);
}

function putEntry(lab: ShardLab, entry: Uint8Array, more: Partial<Operation> = {}): number {
  return lab.ask(1, {
    operationId: lab.operationId(),
    body: { kind: 'put', namespace: 'n', key: 'k', entry, condition: { kind: 'always' } },
    ...more,
  });
}

test('F14: a version is compared with the only current one', () => {
  const lab = activeLab();
  const first = lab.answers.get(lab.put(1, 'k', 'v'))?.result;
  if (first?.kind !== 'written') throw new Error('The first put failed.');
  const swap = (dot: Dot): unknown => {
    const body = {
      kind: 'put',
      namespace: 'n',
      key: 'k',
      entry: labEntry('w'),
      condition: { kind: 'version', dot },
    } as const;
    return resultOf(lab, lab.ask(1, { operationId: lab.operationId(), body }));
  };
  expect(swap(first.version.dot)).toMatchObject({ kind: 'written' });
  expect(swap(first.version.dot)).toMatchObject({ code: 'VERSION_CONFLICT', current: {} });
  lab.delete(1, 'k');
  expect(swap(first.version.dot)).toMatchObject({ code: 'VERSION_CONFLICT', current: undefined });
});

test('F14: the version that is shown matches while there are concurrent values', () => {
  const lab = activeLab();
  lab.alive(2);
  lab.drop = ({ to, from }) => to === B || from === B;
  lab.put(2, 'k', 'island', { durability: 'one' });
  lab.alive(1, 3);
  lab.advance(50);
  lab.put(1, 'k', 'mainland');
  lab.drop = () => false;
  lab.alive(1, 2, 3);
  lab.advance(5000);
  expect(lab.events.map(({ event }) => event.name)).toContain('orphan.merged');
  const shown = lab.answers.get(lab.get(1, 'k', { read: 'strong' }))?.result;
  if (shown?.kind !== 'found') throw new Error('Nothing is shown.');
  const condition = { kind: 'version', dot: shown.found.version.dot } as const;
  const body = {
    kind: 'put',
    namespace: 'n',
    key: 'k',
    entry: labEntry('next'),
    condition,
  } as const;
  const swap = (): unknown => {
    return resultOf(lab, lab.ask(1, { operationId: lab.operationId(), body }));
  };
  expect(swap()).toMatchObject({ kind: 'written' });
  expect(swap()).toMatchObject({ code: 'VERSION_CONFLICT' });
  const state = lab.entries(1).get(SHARD, lab.status(1).slot, 'n\0k');
  if (state === 'absent' || state === 'paged') throw new Error('The entry is not in memory.');
  expect(decodeState(state.state).siblings).toHaveLength(1);
});

test('F15: an overwrite keeps the birth of the entry, and its scope', () => {
  const lab = activeLab();
  putEntry(lab, labEntry('v'));
  const born = bodyOf(lab, lab.get(1, 'k', { read: 'strong' }));
  lab.advance(1000);
  putEntry(lab, labEntry('w', { createdAt: 5, updatedAt: 5 }));
  const after = bodyOf(lab, lab.get(1, 'k', { read: 'strong' }));
  expect(after).toMatchObject({ content: 'w', createdAt: born.createdAt });
  expect(after.updatedAt).toBeGreaterThanOrEqual(born.updatedAt + 1000);
  const moved = putEntry(lab, labEntry('x', { userId: 'another' }));
  expect(resultOf(lab, moved)).toMatchObject({ code: 'SCOPE_CONFLICT', applied: 'no' });
});

test('F15: an immutable entry can only be deleted', () => {
  const lab = activeLab();
  putEntry(lab, labEntry('v', { immutable: true }));
  expect(resultOf(lab, putEntry(lab, labEntry('w')))).toMatchObject({ code: 'IMMUTABLE_ENTRY' });
  expect(resultOf(lab, lab.delete(1, 'k'))).toMatchObject({ kind: 'written', existed: true });
  expect(resultOf(lab, lab.delete(1, 'k'))).toMatchObject({ kind: 'written', existed: false });
  expect(resultOf(lab, putEntry(lab, labEntry('w')))).toMatchObject({ kind: 'written' });
});

test('bytes that are no entry are refused with the place of the problem', () => {
  const lab = activeLab();
  const token = putEntry(lab, Uint8Array.of(0x93, 1, 2, 3));
  expect(resultOf(lab, token)).toMatchObject({ code: 'INVALID_ENTRY', applied: 'no' });
  expect(lab.status(1).last.index).toBe(1);
});

test('an update changes what is there, by the rules of its schema', () => {
  const rules = {
    patched: (entry: Uint8Array, patch: Uint8Array) => {
      const body = decodeValue(entryBodyField, entry);
      if (patch[0] === 0) return { kind: 'problems', problems: ['No.'] } as const;
      const content = `${body.content}+${patch[0]}`;
      return { kind: 'entry', entry: labEntry(content), expiresAt: 0 } as const;
    },
  };
  const lab = activeLab({ rules });
  const update = (number: number): unknown => {
    const body = {
      kind: 'update',
      namespace: 'n',
      key: 'k',
      patch: Uint8Array.of(number),
      condition: { kind: 'always' },
    } as const;
    return resultOf(lab, lab.ask(1, { operationId: lab.operationId(), body }));
  };
  expect(update(1)).toMatchObject({ code: 'NOT_FOUND', applied: 'no' });
  lab.put(1, 'k', 'v');
  expect(update(7)).toMatchObject({ kind: 'written' });
  expect(bodyOf(lab, lab.get(1, 'k', { read: 'strong' })).content).toBe('v+7');
  expect(update(0)).toMatchObject({ code: 'INVALID_ENTRY' });
});

test('F16: a repeated operation gets the first outcome, also from the next primary', () => {
  const lab = activeLab();
  const operationId = lab.operationId();
  const first = lab.put(1, 'k', 'v', { operationId });
  const again = lab.put(1, 'k', 'v', { operationId });
  expect(resultOf(lab, again)).toMatchObject({ kind: 'written', repeated: true });
  expect(lab.answers.get(again)?.position).toEqual(lab.answers.get(first)?.position);
  lab.crash(1);
  lab.assign({ primary: B });
  lab.advance(1000);
  const third = lab.put(2, 'k', 'v', { operationId });
  expect(resultOf(lab, third)).toMatchObject({ repeated: true });
  expect(lab.answers.get(third)?.position).toEqual(lab.answers.get(first)?.position);
});

test('F16: a repetition of what is under way waits for it', () => {
  const lab = activeLab();
  lab.drop = ({ to }) => to !== A;
  const operationId = lab.operationId();
  const first = lab.put(1, 'k', 'v', { operationId });
  const again = lab.put(1, 'k', 'v', { operationId });
  expect(lab.status(1).last.index).toBe(2);
  lab.drop = () => false;
  lab.advance(1000);
  expect(resultOf(lab, first)).toMatchObject({ kind: 'written', repeated: false });
  expect(resultOf(lab, again)).toMatchObject({ kind: 'written', repeated: true });
});

test('F16: another request under the same id is refused, logged or applied', () => {
  const lab = activeLab();
  const operationId = lab.operationId();
  lab.drop = ({ to }) => to !== A;
  lab.put(1, 'k', 'v', { operationId });
  expect(resultOf(lab, lab.put(1, 'k', 'w', { operationId }))).toMatchObject({
    code: 'OPERATION_REUSED',
  });
  lab.drop = () => false;
  lab.advance(1000);
  expect(resultOf(lab, lab.delete(1, 'k', { operationId }))).toMatchObject({
    code: 'OPERATION_REUSED',
  });
});

test('F16: an id as old as what was forgotten is never carried out', () => {
  const lab = activeLab({ config: { operationBytesMax: 1, operationWindowMs: 60_000 } });
  const operationId = lab.operationId();
  lab.put(1, 'k', 'v', { operationId });
  lab.advance(10);
  for (let number = 0; number < 5; number += 1) {
    lab.put(1, `k${number}`, 'v');
    lab.advance(300);
  }
  expect(resultOf(lab, lab.put(1, 'k', 'v', { operationId }))).toMatchObject({
    code: 'OPERATION_EXPIRED',
    applied: 'unknown',
  });
  const old = lab.operationId(lab.wallMs - 60_001);
  expect(resultOf(lab, lab.put(1, 'k', 'v', { operationId: old }))).toMatchObject({
    code: 'OPERATION_EXPIRED',
  });
});

test.each(['nonsense', '01980000-0000-8000-8000-000000000001'])(
  'F16: %s is no operation id',
  (operationId) => {
    const lab = activeLab();
    expect(resultOf(lab, lab.put(1, 'k', 'v', { operationId }))).toMatchObject({
      code: 'BAD_REQUEST',
      applied: 'no',
    });
  },
);

test('F17: counters go on behind the lease after a crash', () => {
  const lab = activeLab({ config: { dotLease: 10 } });
  const counters = new Set<number>();
  const write = (): void => {
    const result = lab.answers.get(lab.put(1, 'k', 'v'))?.result;
    if (result?.kind !== 'written') throw new Error('The put failed.');
    expect(counters.has(result.version.dot.counter)).toBe(false);
    counters.add(result.version.dot.counter);
  };
  for (let life = 0; life < 3; life += 1) {
    for (let number = 0; number < 4; number += 1) write();
    lab.crash(1);
    lab.start(1);
    lab.assign({ primary: A });
    lab.advance(100);
  }
  expect(counters.size).toBe(12);
});

test('F17: no dot leaves before its lease is durable', () => {
  const lab = new ShardLab({ nodes: 3 });
  lab.holdDisk(1);
  lab.assign({ primary: A });
  const token = lab.put(1, 'k', 'v');
  expect(lab.disk(1).has(DOTS_KEY)).toBe(false);
  expect(lab.status(1).last.index).toBeLessThan(2);
  lab.releaseDisk(1);
  expect(resultOf(lab, token)).toMatchObject({ kind: 'written' });
});

test('F17: a node that lost its lease is another actor', () => {
  const lab = activeLab();
  lab.put(1, 'k', 'v');
  lab.crash(1);
  lab.disk(1).delete(DOTS_KEY);
  lab.start(1);
  lab.assign({ primary: A });
  lab.advance(100);
  const result = lab.answers.get(lab.put(1, 'k', 'w'))?.result;
  expect(result).toMatchObject({ version: { dot: { actor: `${A}.2` } } });
});

test.each([
  { limit: { waitingOperationsMax: 3 }, what: 'operations' },
  { limit: { waitingBytesMax: 1000 }, what: 'bytes' },
])('F26: too many waiting $what are refused, and the rest is answered', ({ limit }) => {
  const lab = activeLab({ config: limit });
  lab.drop = ({ to }) => to !== A;
  const tokens = Array.from({ length: 6 }, (_, at) => lab.put(1, `k${at}`, 'v'));
  const refused = tokens.filter((token) => lab.answers.has(token));
  expect(refused.length).toBeGreaterThan(0);
  for (const token of refused) {
    expect(resultOf(lab, token)).toMatchObject({ code: 'OVERLOADED', applied: 'no' });
  }
  lab.drop = () => false;
  lab.advance(1000);
  for (const token of tokens) expect(lab.answers.has(token)).toBe(true);
  expect(resultOf(lab, lab.put(1, 'k', 'v'))).toMatchObject({ kind: 'written' });
});

test('F26: without a majority the log does not grow for ever', () => {
  const lab = activeLab({ config: { waitingOperationsMax: 20 } });
  lab.drop = ({ to }) => to !== A;
  const tokens: number[] = [];
  for (let round = 0; round < 100; round += 1) {
    tokens.push(lab.put(1, `k${round}`, 'v', { timeoutMs: 10, durability: 'one' }));
    lab.advance(20);
  }
  expect(lab.status(1).last.index).toBe(21);
  expect(resultOf(lab, tokens.at(-1) as number)).toMatchObject({
    code: 'OVERLOADED',
    applied: 'no',
  });
  lab.drop = () => false;
  lab.advance(20_000);
  expect(resultOf(lab, lab.put(1, 'k', 'v'))).toMatchObject({ kind: 'written' });
});

test('F26: what waits in vain for hours leaves nothing behind', () => {
  const queue: { answered: boolean }[] = [];
  for (let number = 0; number < 10_000; number += 1) {
    const item = { answered: false };
    enqueue(queue, item, ({ answered }) => answered);
    item.answered = true;
  }
  expect(queue.length).toBeLessThan(300);
});

test('a write at one is answered by the primary alone', () => {
  const lab = activeLab();
  lab.drop = ({ to }) => to !== A;
  const token = lab.put(1, 'k', 'v', { durability: 'one' });
  expect(resultOf(lab, token)).toMatchObject({ acknowledged: 'local', autonomous: false });
});

test('F25: shards at rest send nothing, however many they are', () => {
  const lab = new ShardLab({ nodes: 3 });
  for (let shard = 0; shard < 200; shard += 1) {
    lab.assign({ shard: shard as ShardId, primary: [A, B, C][shard % 3] as typeof A });
  }
  lab.ask(1, {
    shard: 0 as ShardId,
    operationId: lab.operationId(),
    body: {
      kind: 'put',
      namespace: 'n',
      key: 'k',
      entry: labEntry('v'),
      condition: { kind: 'always' },
    },
  });
  lab.advance(2000);
  lab.sent.length = 0;
  lab.advance(60_000);
  expect(lab.sent).toEqual([]);
});

test('F25: one step sends a peer one message about all shards', () => {
  const lab = new ShardLab({ nodes: 3 });
  const configs = Array.from({ length: 100 }, (_, shard) => {
    return lab.assign({ shard: shard as ShardId, primary: A }, []);
  });
  lab.sent.length = 0;
  lab.input(1, { kind: 'configs', configs });
  const promises = lab.sent.filter(({ body }) => body.type === 'promise');
  expect(promises.map(({ to }) => to).sort()).toEqual([B, C]);
  expect(lab.sent.length).toBeLessThan(30);
});
