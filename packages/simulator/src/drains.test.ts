import { expect, test } from 'vitest';
import type { ScheduledFault } from './fault.ts';
import { simulate } from './simulate.ts';

/** What the registry said of n3 since it joined, in order. */
function standings(faults: readonly ScheduledFault[], durationMs: number): readonly string[] {
  const report = simulate({
    seed: 5,
    nodes: 3,
    durationMs,
    data: undefined,
    faults: { kind: 'schedule', faults },
  });
  expect(report.violations).toEqual([]);
  return report.timeline
    .filter(({ node, what }) => node === 'n3' && what === 'registry.changed')
    .map(({ detail }) => /^n3 status (\w+)/.exec(detail)?.[1])
    .filter((standing, at, all) => standing !== undefined && standing !== all[at - 1]) as string[];
}

const apart = [['n1'], ['n2'], ['n3']];

test('a drain is taken back although nobody could be asked when it was to end', () => {
  const standing = standings(
    [
      { atMs: 8_000, forMs: 4_000, kind: 'drain', node: 'n3' },
      { atMs: 11_000, forMs: 4_000, kind: 'split', groups: apart },
    ],
    30_000,
  );
  expect(standing).toEqual(['draining', 'normal']);
});

test('healing ends a drain that was to last longer', () => {
  const drain: ScheduledFault = { atMs: 8_000, forMs: 60_000, kind: 'drain', node: 'n3' };
  expect(standings([drain, { atMs: 12_000, kind: 'heal' }], 20_000)).toEqual([
    'draining',
    'normal',
  ]);
});
