import { explore, simulate } from '@memgrid/simulator';
import { expect, test } from 'vitest';

/**
 * A leader that loses its quorum is silent before anybody else can be elected, so it seldom hears of
 * a later term: once in several hundred days.
 */
const RARE: ReadonlySet<string> = new Set(['leader saw a higher term']);

/** What an exploration is judged by, in a form whose difference can be read. */
function failuresOf(report: Awaited<ReturnType<typeof explore>>): readonly string[] {
  return report.failed.map(
    ({ deterministic, nodes, seed, violations }) =>
      `seed ${seed} with ${nodes} nodes: ${violations[0]?.checker ?? ''} ` +
      `${violations[0]?.message ?? ''}${deterministic ? '' : ' (not the same twice)'}`,
  );
}

test('S2: the same seed is the same day, to the last byte of every frame', () => {
  for (const nodes of [3, 5, 7]) {
    const once = simulate({ seed: 7, nodes, durationMs: 40_000 });
    const again = simulate({ seed: 7, nodes, durationMs: 40_000 });
    expect(again).toEqual(once);
    expect(simulate({ seed: 8, nodes, durationMs: 40_000 }).traceHash).not.toBe(once.traceHash);
  }
});

test('S2: whether anybody watches makes no difference to the day', () => {
  const watched = simulate({ seed: 3, durationMs: 20_000 });
  const alone = simulate({ seed: 3, durationMs: 20_000, timeline: false });
  expect(alone.traceHash).toBe(watched.traceHash);
});

test.each([1, 2, 3, 5, 7])('a quiet day with %d nodes: one coordinator, nobody dies', (nodes) => {
  const report = simulate({ seed: nodes, nodes, durationMs: 120_000, faults: { kind: 'none' } });
  expect(report.violations).toEqual([]);
  expect(report.sometimes['leader elected again']).toBeLessThan(10);
  expect(report.falseDeaths).toBe(0);
  const all = report.states.map(({ node }) => node);
  for (const state of report.states) {
    expect(state.alive).toEqual(all);
    expect(state.phase).toBe('member');
  }
});

test('S9: no property is violated over a fixed set of seeds, and each cluster heals in time', async () => {
  const report = await explore({ firstSeed: 20_001, count: 400, workers: 2 });
  expect(failuresOf(report)).toEqual([]);
  expect(report.falseDeaths).toBe(0);
  // S13: what these days never show, no day shows.
  expect(report.never.filter((what) => !RARE.has(what))).toEqual([]);
}, 400_000);

test('S13: what never happened is listed', async () => {
  const report = await explore({
    firstSeed: 1,
    count: 1,
    durationMs: 10_000,
    faults: { kind: 'none' },
  });
  expect(report.never).toContain('leader lost quorum and went silent');
  expect(report.never).not.toContain('cluster founded');
});
