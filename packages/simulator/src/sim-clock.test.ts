import type { Instant } from '@memgrid/core';
import { expect, test } from 'vitest';
import { SimClock, WORLD_EPOCH_MS } from './sim-clock.ts';

function clockAt(headStartUs = 5_000_000): { clock: SimClock; pass: (us: number) => void } {
  let nowUs = 0;
  return {
    clock: new SimClock(() => nowUs, headStartUs),
    pass: (us) => {
      nowUs += us;
    },
  };
}

test('the wall clock starts at the epoch, the monotonic one at its head start', () => {
  const { clock, pass } = clockAt();
  pass(2_000_000);
  expect(clock.wallMs()).toBe(WORLD_EPOCH_MS + 2_000);
  expect(clock.view(() => 500).now()).toBe(7_000.5);
});

test('drift changes the rate from now on, and never makes a clock jump', () => {
  const { clock, pass } = clockAt();
  pass(1_000_000);
  clock.drift(200);
  const before = clock.view(() => 0).now();
  expect(before).toBe(6_000);
  pass(1_000_000_000);
  expect(clock.view(() => 0).now() - before).toBeCloseTo(1_000_200, 6);
  expect(clock.errorMs).toBeCloseTo(200, 0);
});

test.each([-300, 0, 300])('at %d ppm a timer is due when the clock shows its moment', (ppm) => {
  const { clock, pass } = clockAt();
  pass(123_456);
  clock.drift(ppm);
  pass(777_777);
  const moment = (clock.view(() => 0).now() + 1_234.567) as Instant;
  const dueUs = clock.worldUsOf(moment);
  expect(clock.monotonicAt(dueUs)).toBeGreaterThanOrEqual(moment);
  expect(clock.monotonicAt(dueUs - 2)).toBeLessThan(moment);
});

test('skew, jumps and freezing move the wall clock only, and mending sets it right', () => {
  const { clock, pass } = clockAt();
  clock.skew(-400);
  clock.jump(1_000);
  expect(clock.errorMs).toBe(600);
  clock.freeze();
  pass(5_000_000);
  expect(clock.errorMs).toBe(-4_400);
  expect(clock.view(() => 0).now()).toBe(10_000);
  clock.mend();
  expect(clock.errorMs).toBeCloseTo(0, 6);
});
