import { shardId, type ShardId } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AppliedChange } from '../shards/shards-io.ts';
import { RecentChanges } from './recent-changes.ts';

const SHARDS = [0, 1, 2].map((shard) => shardId(shard, 8));

function changeOf(shard: ShardId, index: number, bytes: number): AppliedChange {
  const entry = new Uint8Array(bytes);
  return { shard, epoch: 1, index, key: 'n\0k', kind: 'put', version: undefined, entry };
}

test('H9: what is remembered of a shard has no hole, and is the latest', () => {
  const step = fc.record({
    shard: fc.constantFrom(...SHARDS),
    bytes: fc.nat(400),
    /** Now and then a shard begins anew further on, as after a stream. */
    jump: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 50 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const bounds = { bytesMax: 4_000, changesMax: 12 };
      const recent = new RecentChanges(bounds);
      const last = new Map<ShardId, number>();
      const unbroken = new Map<ShardId, number>();
      for (const { shard, bytes, jump } of steps) {
        const index = (last.get(shard) ?? 0) + jump;
        last.set(shard, index);
        if (jump > 1 || !unbroken.has(shard)) unbroken.set(shard, index - 1);
        recent.append(changeOf(shard, index, bytes));
        expect(recent.bytes).toBeLessThanOrEqual(bounds.bytesMax);
        for (const [known, latest] of last) {
          const base = recent.base(known) ?? latest;
          expect(recent.last(known) ?? latest).toBe(latest);
          expect(base).toBeGreaterThanOrEqual(unbroken.get(known) ?? 0);
          expect(latest - base).toBeLessThanOrEqual(bounds.changesMax);
          expect(recent.at(known, base)).toBeUndefined();
          for (let at = base + 1; at <= latest; at += 1) {
            expect(recent.at(known, at)?.change.index).toBe(at);
          }
          expect(recent.at(known, latest + 1)).toBeUndefined();
        }
      }
      for (const shard of SHARDS) recent.drop(shard);
      expect(recent.bytes).toBe(0);
    }),
  );
});

test('H9: a change that came before is not taken again', () => {
  const recent = new RecentChanges({ bytesMax: 4_000, changesMax: 12 });
  const [shard] = SHARDS as [ShardId];
  for (const index of [5, 6, 6, 5]) recent.append(changeOf(shard, index, 10));
  expect(recent.base(shard)).toBe(4);
  expect(recent.last(shard)).toBe(6);
});

test('H9: what was not seen ends what is remembered, also where it is one change', () => {
  const recent = new RecentChanges({ bytesMax: 4_000, changesMax: 12 });
  const [shard] = SHARDS as [ShardId];
  for (const index of [5, 6]) recent.append(changeOf(shard, index, 10));
  recent.append({ ...changeOf(shard, 7, 0), key: '', kind: 'unknown' });
  expect(recent.base(shard)).toBe(7);
  expect(recent.last(shard)).toBe(7);
  expect(recent.bytes).toBe(0);
  recent.append(changeOf(shard, 8, 10));
  expect(recent.base(shard)).toBe(7);
  expect(recent.at(shard, 8)?.change.index).toBe(8);
});
