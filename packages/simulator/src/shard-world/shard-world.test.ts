import { decodeValue, entryBodyField } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { oneCopyShards } from './one-copy-shards.ts';
import type { OneCopyOptions } from './one-copy-shards.ts';
import { runShardDay } from './shard-day.ts';
import type { ShardDayReport } from './shard-day.ts';
import { drawShardDay } from './shard-tuning.ts';

function dayOf(seed: number, mistake?: OneCopyOptions['mistake']): ShardDayReport {
  const expiryOf = (entry: Uint8Array): number => decodeValue(entryBodyField, entry).expiresAt;
  const shards = oneCopyShards(mistake === undefined ? { expiryOf } : { expiryOf, mistake });
  return runShardDay({ seed, plan: drawShardDay(seed), shards });
}

test.each([1, 2, 3, 4, 5, 6])('S16: seed %d: nothing is wrong with one copy', (seed) => {
  const report = dayOf(seed);
  expect(report.violations).toEqual([]);
  expect(report.calls.answered).toBeGreaterThan(100);
});

test('S2: the same seed is the same day among shards', () => {
  expect(dayOf(7)).toEqual(dayOf(7));
  expect(dayOf(7).history).not.toEqual(dayOf(8).history);
});

test.each([
  { mistake: 'forgets', shownBy: /linearizable|acknowledged-writes-survive|read-your-writes/ },
  { mistake: 'resurrects', shownBy: /linearizable|deleted-stays-deleted/ },
  { mistake: 'reissues', shownBy: /dots-name-one-write/ },
  { mistake: 'tramples', shownBy: /linearizable/ },
  { mistake: 'skips', shownBy: /lists-are-complete/ },
] as const)('S16: a world of shards notices a copy that $mistake', ({ mistake, shownBy }) => {
  const seeds = Array.from({ length: 12 }, (_, at) => at + 1);
  const found = seeds.flatMap((seed) => dayOf(seed, mistake).violations);
  expect(found.map(({ checker }) => checker)).toContainEqual(expect.stringMatching(shownBy));
});
