import { drawShardDay, productionShards, runShardDay } from '@memgrid/simulator';
import type { ShardDayReport, ShardTuning } from '@memgrid/simulator';
import { expect, test } from 'vitest';
import { SHARD_HUNTS } from './shard-hunts.ts';

function dayOf(seed: number, tuning: Partial<ShardTuning> = {}): ShardDayReport {
  return runShardDay({ seed, plan: drawShardDay(seed, tuning), shards: productionShards });
}

/** What went wrong, in a form whose difference can be read. */
function failuresOf(reports: readonly ShardDayReport[]): readonly string[] {
  return reports.flatMap(({ seed, violations }) =>
    violations.slice(0, 1).map(({ checker, message }) => `seed ${seed}: ${checker}: ${message}`),
  );
}

test('S15: no property of shards is violated over a fixed set of seeds', () => {
  const reports = Array.from({ length: 250 }, (_, at) => dayOf(at + 1));
  expect(failuresOf(reports)).toEqual([]);
  const events = new Set(reports.flatMap((report) => Object.keys(report.events)));
  // What these days never show, nothing protects.
  expect([...events]).toEqual(
    expect.arrayContaining([
      'shard.activated',
      'shard.fenced',
      'shard.truncated',
      'shard.streamed',
      'shard.dropped',
      'shard.collected',
      'entry.quarantined',
      'entry.refetched',
      'orphan.merged',
    ]),
  );
}, 240_000);

const tunings = [...new Set(Object.values(SHARD_HUNTS).map(({ tuning }) => tuning))];

test.each(tunings.map((tuning, at) => ({ at, tuning })))(
  'S15: nor on the days on which breaks are hunted, kind $at',
  ({ tuning }) => {
    const reports = Array.from({ length: 15 }, (_, at) => dayOf(1_000 + at, tuning));
    expect(failuresOf(reports)).toEqual([]);
  },
  120_000,
);

test('S2: the same seed is the same day among shards, with the production machine', () => {
  expect(dayOf(11)).toEqual(dayOf(11));
});
