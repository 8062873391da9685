import type { ShardId } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Instant } from '../machine.ts';
import { FLUSH_MS, FlushGroups } from './flush-groups.ts';

test('every shard has its turn within the period, however its writes and the wakes fall', () => {
  const write = fc.record({
    shard: fc.nat(40),
    waitMs: fc.double({ min: 0, max: 90, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 80 }), fc.nat(10_000), (writes, startMs) => {
      const groups = new FlushGroups();
      const unflushed = new Set<ShardId>();
      const since = new Map<ShardId, number>();
      let now = startMs;
      const takeUpTo = (ms: number): void => {
        while (groups.wakeAt !== undefined && groups.wakeAt <= ms) {
          const at = groups.wakeAt;
          for (const shard of groups.take(at, unflushed)) {
            expect(at - (since.get(shard) as number)).toBeLessThanOrEqual(FLUSH_MS);
            since.delete(shard);
          }
          expect(groups.wakeAt === undefined || groups.wakeAt > at).toBe(true);
        }
      };
      for (const { shard, waitMs } of writes) {
        now += waitMs;
        takeUpTo(now);
        unflushed.add(shard as ShardId);
        if (!since.has(shard as ShardId)) since.set(shard as ShardId, now);
        groups.plan(now as Instant, unflushed);
      }
      takeUpTo(now + 2 * FLUSH_MS);
      expect([since.size, unflushed.size, groups.wakeAt]).toEqual([0, 0, undefined]);
    }),
  );
});

test('where all shards are written to all the time, each turn is an eighth of them', () => {
  const groups = new FlushGroups();
  const unflushed = new Set<ShardId>();
  const sizes: number[] = [];
  for (let ms = 0; ms < 2_000; ms += 1) {
    sizes.push(groups.take(ms as Instant, unflushed).length);
    for (let shard = 0; shard < 64; shard += 1) unflushed.add(shard as ShardId);
    groups.plan(ms as Instant, unflushed);
  }
  const turns = sizes.slice(2 * FLUSH_MS).filter((size) => size > 0);
  expect(new Set(turns)).toEqual(new Set([8]));
  expect(turns.length).toBe((2_000 - 2 * FLUSH_MS) / (FLUSH_MS / 8));
});

test('an idle node is not woken', () => {
  const groups = new FlushGroups();
  groups.plan(5 as Instant, new Set());
  expect(groups.wakeAt).toBeUndefined();
});

test('a late wake makes up for every turn that it missed', () => {
  const groups = new FlushGroups();
  const unflushed = new Set(Array.from({ length: 16 }, (_, shard) => shard as ShardId));
  groups.plan(0 as Instant, unflushed);
  expect(groups.take((3 * FLUSH_MS) as Instant, unflushed)).toHaveLength(16);
});
