import { expect, test } from 'vitest';
import type { ScheduledFault } from './fault.ts';
import { shrink } from './shrink.ts';

const day = (count: number): ScheduledFault[] =>
  Array.from({ length: count }, (_, at) => ({
    atMs: at * 100,
    kind: 'crash',
    node: `n${(at % 3) + 1}`,
    forMs: 64,
  }));

test('S11: only the faults that a failure needs are left, in their order', () => {
  const needed = [300, 1_700, 3_100];
  const { runs, scenario } = shrink(
    { seed: 1, nodes: 5, durationMs: 5_000, faults: day(40) },
    ({ faults }) => needed.every((atMs) => faults.some((fault) => fault.atMs === atMs)),
  );
  expect(scenario.faults.map(({ atMs }) => atMs)).toEqual(needed);
  expect(runs).toBeLessThan(200);
});

test('S11: nodes that no fault names go, and faults get shorter', () => {
  const { scenario } = shrink(
    { seed: 1, nodes: 7, durationMs: 5_000, faults: day(3) },
    ({ faults, nodes }) =>
      nodes >= 3 && faults.some((fault) => 'forMs' in fault && (fault.forMs ?? 0) >= 16),
  );
  expect(scenario.nodes).toBe(3);
  expect(scenario.faults).toHaveLength(1);
  expect(scenario.faults[0]).toMatchObject({ forMs: 16 });
});
