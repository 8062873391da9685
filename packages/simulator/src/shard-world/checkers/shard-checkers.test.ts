import type { AppliedChange, ShardMessage } from '@memgrid/core';
import { nodeId } from '@memgrid/protocol';
import type { ActorId, EntryVersion, Generation, NodeId, ShardId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { WORLD_EPOCH_MS } from '../../sim-clock.ts';
import type { FinishedCall } from '../shard-client.ts';
import type { ShardLife } from '../shard-host.ts';
import { entryOf } from '../shard-keys.ts';
import type { KeyClass } from '../shard-keys.ts';
import { appliedOnce } from './applied-once.ts';
import { deletedStaysDeleted } from './deleted-stays-deleted.ts';
import { dotsNameOneWrite } from './dots-name-one-write.ts';
import { expiryIsKept } from './expiry-is-kept.ts';
import { logsMatch } from './logs-match.ts';
import { oneActivationPerEpoch } from './one-activation-per-epoch.ts';
import { promisesNeverFall } from './promises-never-fall.ts';

const SHARD = 0 as ShardId;
const N2 = nodeId('2'.padStart(32, '0'));

function life(node: number, generation = 1): ShardLife {
  const id: NodeId = nodeId((node + 1).toString().padStart(32, '0'));
  return { node, nodeId: id, generation: generation as Generation };
}

function promiseAck(epoch: number): ShardMessage {
  const last = { epoch: 0, index: 0 };
  return {
    type: 'promiseAck',
    shards: [{ shard: SHARD, epoch, last }],
  };
}

test('promises-never-fall: an answer in an older epoch than an earlier one is noticed', () => {
  const checker = promisesNeverFall();
  expect(checker.sent?.(life(0), N2, promiseAck(3))).toBeUndefined();
  expect(checker.sent?.(life(1), N2, promiseAck(2))).toBeUndefined();
  expect(checker.sent?.(life(0, 2), N2, promiseAck(2))).toMatch(/epoch 2 after .* 3/);
});

test('one-activation-per-epoch: a second life in the same epoch is noticed', () => {
  const checker = oneActivationPerEpoch();
  const event = { name: 'shard.activated', shard: SHARD, epoch: 4 } as const;
  expect(checker.event?.(life(0), event)).toBeUndefined();
  expect(checker.event?.(life(0), event)).toBeUndefined();
  expect(checker.event?.(life(1), { ...event, epoch: 5 })).toBeUndefined();
  expect(checker.event?.(life(0, 2), event)).toMatch(/generation 2 is active in epoch 4/);
});

function replicate(
  records: readonly (readonly [epoch: number, index: number, body: number])[],
  previous: readonly [number, number],
): ShardMessage {
  return {
    type: 'replicate',
    shards: [
      {
        shard: SHARD,
        epoch: 9,
        previous: { epoch: previous[0], index: previous[1] },
        commit: 0,
        records: records.map(([epoch, index, body]) => ({
          epoch,
          index,
          sync: 'disk',
          body: Uint8Array.of(body),
        })),
      },
    ],
  };
}

test.each([
  { what: 'a hole', second: replicate([[1, 3, 7]], [1, 1]), says: /as if it followed/ },
  { what: 'another body', second: replicate([[1, 2, 8]], [1, 1]), says: /two bodies/ },
  { what: 'another past', second: replicate([[2, 2, 5]], [2, 1]), says: undefined },
])('shard-logs-match: $what is noticed', ({ second, says }) => {
  const checker = logsMatch();
  expect(checker.sent?.(life(0), N2, replicate([[1, 2, 7]], [1, 1]))).toBeUndefined();
  const found = checker.sent?.(life(1), N2, second);
  if (says === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(says);
});

test('shard-logs-match: one record after two different ones is noticed', () => {
  const checker = logsMatch();
  expect(checker.sent?.(life(0), N2, replicate([[3, 2, 7]], [1, 1]))).toBeUndefined();
  expect(checker.sent?.(life(1), N2, replicate([[3, 2, 7]], [2, 1]))).toMatch(
    /epoch 1 and epoch 2/,
  );
});

function version(counter: number): EntryVersion {
  const actor = `${N2}.1` as ActorId;
  return { dot: { actor, counter }, timestamp: { ms: counter, counter: 0 } };
}

function change(index: number, counter: number, content = 'x'): AppliedChange {
  return {
    shard: SHARD,
    epoch: 1,
    index,
    key: 'w\u0000k',
    kind: 'put',
    version: version(counter),
    entry: entryOf(content, 0),
  };
}

function finished(
  what: Partial<FinishedCall> & { readonly keyClass?: KeyClass },
  result:
    | {
        readonly written: number;
        readonly index?: number;
        readonly acknowledged?: 'local' | 'quorum';
      }
    | { readonly found: string; readonly expiresAt?: number }
    | 'absent',
): FinishedCall {
  const isWrite = typeof result === 'object' && 'written' in result;
  const body =
    what.content !== undefined
      ? ({ kind: 'put', entry: entryOf(what.content, 0), condition: { kind: 'always' } } as const)
      : isWrite
        ? ({ kind: 'delete', condition: { kind: 'always' } } as const)
        : ({ kind: 'get' } as const);
  const base = { source: 'primary', stalenessMs: 0 } as const;
  const answered =
    result === 'absent'
      ? ({ kind: 'absent', ...base } as const)
      : 'written' in result
        ? ({
            kind: 'written',
            version: version(result.written),
            acknowledged: result.acknowledged ?? 'quorum',
            sync: 'disk',
            autonomous: false,
            repeated: false,
          } as const)
        : ({
            kind: 'found',
            ...base,
            found: {
              key: 'k',
              entry: entryOf(result.found, result.expiresAt ?? 0),
              version: version(1),
            },
          } as const);
  const index = isWrite ? (result.index ?? 0) : 0;
  return {
    key: { shard: SHARD, keyClass: what.keyClass ?? 'mixed', key: 'k' },
    operation: {
      shard: SHARD,
      operationId: '',
      body: { namespace: 'w', key: 'k', ...body },
      read: 'strong',
      durability: 'quorum',
      sync: 'disk',
      noAutonomous: false,
      atLeast: 0,
    },
    content: undefined,
    expiresAt: 0,
    beganMs: 0,
    endedMs: 0,
    ...what,
    end: {
      kind: 'answered',
      node: N2,
      answer: { id: 1, shard: SHARD, position: { epoch: 1, index }, result: answered },
    },
  };
}

test('applied-once: two changes of one index, and a going back, are noticed', () => {
  const checker = appliedOnce();
  expect(checker.applied?.(life(0), [change(1, 1), change(2, 2)])).toBeUndefined();
  expect(checker.applied?.(life(1), [change(2, 2)])).toBeUndefined();
  expect(checker.applied?.(life(2), [change(2, 3)])).toMatch(/0\/2 is/);
  expect(checker.applied?.(life(0), [change(2, 2)])).toMatch(/after 2 in the same life/);
  expect(checker.applied?.(life(0, 2), [change(2, 2)])).toBeUndefined();
});

test('applied-once: an acknowledged write that is not what was applied there is noticed', () => {
  const checker = appliedOnce();
  checker.applied?.(life(0), [change(1, 1)]);
  expect(checker.finished?.(finished({ content: 'x' }, { written: 1, index: 1 }))).toBeUndefined();
  expect(checker.finished?.(finished({ content: 'y' }, { written: 2, index: 1 }))).toMatch(
    /was acknowledged there/,
  );
});

test('dots-name-one-write: a dot that is given twice is noticed', () => {
  const checker = dotsNameOneWrite();
  expect(checker.applied?.(life(0), [change(1, 1, 'x')])).toBeUndefined();
  expect(checker.applied?.(life(1), [change(1, 1, 'x')])).toBeUndefined();
  expect(checker.finished?.(finished({ content: 'x' }, { written: 1 }))).toBeUndefined();
  expect(checker.finished?.(finished({ content: 'y' }, { written: 1 }))).toMatch(/names y .* x/);
});

test('deleted-stays-deleted: what a delete had ended is not read again', () => {
  const checker = deletedStaysDeleted(700);
  const put = finished({ content: 'x', beganMs: 1, endedMs: 2 }, { written: 1 });
  const late = finished({ content: 'y', beganMs: 1, endedMs: 9 }, { written: 2 });
  const remove = finished({ beganMs: 3, endedMs: 5 }, { written: 3 });
  for (const call of [put, late, remove]) expect(checker.finished?.(call)).toBeUndefined();
  const read = (content: string, beganMs: number): string | undefined =>
    checker.finished?.(finished({ beganMs, endedMs: beganMs + 1 }, { found: content }));
  // Under way together with the delete: either order is right.
  expect(read('x', 4)).toBeUndefined();
  expect(read('y', 6)).toBeUndefined();
  expect(read('x', 6)).toMatch(/deleted at 5 ms/);
});

test('deleted-stays-deleted: a write at one loses to a delete that is later by any clock', () => {
  const checker = deletedStaysDeleted(700);
  const put = (content: string, endedMs: number): FinishedCall =>
    finished({ content, beganMs: 1, endedMs }, { written: 1, acknowledged: 'local' });
  const remove = finished({ beganMs: 800, endedMs: 900 }, { written: 3 });
  for (const call of [put('old', 50), put('new', 200), remove]) {
    expect(checker.finished?.(call)).toBeUndefined();
  }
  const read = (content: string): string | undefined =>
    checker.finished?.(finished({ beganMs: 1_000, endedMs: 1_001 }, { found: content }));
  expect(read('new')).toBeUndefined();
  expect(read('old')).toMatch(/deleted at 900 ms/);
});

test('expiry-is-kept: neither late nor early', () => {
  const checker = expiryIsKept(700);
  const at = (ms: number): number => WORLD_EPOCH_MS + ms;
  const asked = { keyClass: 'expiring', content: 'x', beganMs: 1, endedMs: 2 } as const;
  expect(
    checker.finished?.(finished({ ...asked, expiresAt: at(5_000) }, { written: 1 })),
  ).toBeUndefined();
  const read = (beganMs: number, result: Parameters<typeof finished>[1]): string | undefined =>
    checker.finished?.(finished({ keyClass: 'expiring', beganMs, endedMs: beganMs }, result));
  expect(read(4_900, { found: 'x', expiresAt: at(5_000) })).toBeUndefined();
  expect(read(5_900, { found: 'x', expiresAt: at(5_000) })).toMatch(/expired at 5000 ms/);
  expect(read(5_100, 'absent')).toBeUndefined();
  expect(checker.finish?.()).toBeUndefined();
  expect(read(3_000, 'absent')).toBeUndefined();
  expect(checker.finish?.()).toMatch(/expires at 5000 ms/);
  // A put that was under way may have hidden it.
  const short = { ...asked, beganMs: 2_500, endedMs: 9_000, expiresAt: at(2_600) };
  expect(checker.finished?.(finished(short, { written: 2 }))).toBeUndefined();
  expect(checker.finish?.()).toBeUndefined();
});
