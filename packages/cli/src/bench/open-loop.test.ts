import { expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { ok, StagedSubject, type Fate } from '../testing/staged-subject.ts';
import { benchDataset } from './bench-dataset.ts';
import type { OpenLoopOptions } from './load-options.ts';
import { openLoop } from './open-loop.ts';

const dataset = await benchDataset({ size: '100', count: 1_000 });

function staged(fate: (count: number) => Fate) {
  const clock = new ManualClock();
  const subject = new StagedSubject({ clock, fate: (_, count) => fate(count) });
  const run = (options: Partial<OpenLoopOptions> = {}) =>
    clock.until(
      openLoop(
        subject,
        {
          workload: 'get',
          dataset,
          seconds: 2,
          warmupSeconds: 1,
          keys: 'uniform',
          seed: 1,
          rate: 100,
          ...options,
        },
        clock,
      ),
    );
  return { clock, subject, run };
}

test('operations begin at their rate, evenly', async () => {
  const { subject, run } = staged(() => ok(3));
  const result = await run();
  expect(result).toMatchObject({ end: 'complete', failed: 0, rate: 100 });
  expect(result.perSecond).toBeCloseTo(100, 0);
  expect(result.latencyMs.p50).toBeCloseTo(3, 1);
  const gaps = subject.begunMs.slice(1).map((at, index) => at - (subject.begunMs[index] ?? 0));
  expect(Math.max(...gaps)).toBeCloseTo(10);
  expect(Math.min(...gaps)).toBeCloseTo(10);
});

test('a slow answer does not keep the next operations from beginning', async () => {
  const { subject, run } = staged((count) => ok(count === 150 ? 1_000 : 3));
  const result = await run();
  expect(subject.underWayMax).toBe(2);
  expect(result.latencyMs.p99).toBeLessThan(10);
  expect(result.latencyMs.max).toBeCloseTo(1_000, -1);
});

test('what a slow answer holds up has waited since it was due', async () => {
  // One at a time, and one of them takes half a second: the fifty behind it were all late.
  const { run } = staged((count) => ok(count === 150 ? 500 : 3));
  const { latencyMs, perSecond } = await run({ inFlightMax: 1 });
  expect(latencyMs.p50).toBeLessThan(10);
  expect(latencyMs.p90).toBeGreaterThan(300);
  expect(perSecond).toBeCloseTo(100, -1);
});

test('a rate that cannot be held is told: what is never begun has failed', async () => {
  // Two at a time, 40 ms each: fifty of a hundred a second.
  const { run } = staged(() => ok(40));
  const result = await run({ inFlightMax: 2 });
  expect(result.perSecond).toBeCloseTo(50, 0);
  const [failure] = result.failures;
  expect(failure?.what).toBe('not begun in time');
  expect(failure?.count).toBeGreaterThan(100);
});

test('an operation that takes long at the end is waited for, and counts', async () => {
  const { run } = staged((count) => ok(count === 298 ? 4_000 : 3));
  const result = await run();
  expect(result).toMatchObject({ end: 'complete', failed: 0 });
  expect(result.latencyMs.max).toBeCloseTo(4_000, -2);
});

test('a subject that hangs has died', async () => {
  const { clock, run } = staged((count) => (count < 150 ? ok(3) : { kind: 'hangs' }));
  const result = await run({ seconds: 3_600 });
  expect(result).toMatchObject({ end: 'died' });
  expect(result.operations).toBe(50);
  expect(clock.nowMs()).toBeLessThan(30_000);
});

test('an interruption ends it, and what was not due any more has not failed', async () => {
  const { clock, run } = staged(() => ok(3));
  const stop = new AbortController();
  clock.after(2_005, () => stop.abort());
  const result = await run({ seconds: 3_600, signal: stop.signal });
  expect(result).toMatchObject({ end: 'interrupted', failed: 0 });
  expect(result.operations).toBeGreaterThan(98);
});

test.each([0, -5, 2_000_000, Number.NaN])('a rate of %d is refused', async (rate) => {
  const { subject, run } = staged(() => ok(3));
  await expect(run({ rate })).rejects.toMatchObject({
    code: 'BAD_LOAD',
    message: expect.stringContaining(`rate is ${rate}; it must be from 1 to 1000000`) as string,
  });
  expect(subject.operations).toEqual([]);
});
