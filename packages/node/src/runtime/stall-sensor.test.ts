import { expect, test } from 'vitest';
import { StallSensor } from './stall-sensor.ts';

function sensorOf() {
  const clock = { now: 0 };
  const stalls: number[] = [];
  const sensor = new StallSensor({
    onStall: (stalledMs) => stalls.push(stalledMs),
    onLoad: () => undefined,
    now: () => clock.now,
  });
  return { clock, stalls, sensor };
}

test('a stall is told once, with its length past the due tick', () => {
  const { clock, stalls, sensor } = sensorOf();
  sensor.start();
  clock.now = 1_020;
  sensor.check();
  sensor.check();
  expect(stalls).toEqual([1_000]);
  clock.now = 2_040;
  sensor.check();
  sensor.stop();
  expect(stalls).toEqual([1_000, 1_000]);
});

test('lateness up to 300 ms is no stall', () => {
  const { clock, stalls, sensor } = sensorOf();
  sensor.start();
  clock.now = 320;
  sensor.check();
  sensor.stop();
  expect(stalls).toEqual([]);
});

test('a sensor that was stopped tells nothing', () => {
  const { clock, stalls, sensor } = sensorOf();
  sensor.start();
  sensor.stop();
  clock.now = 10_000;
  sensor.check();
  expect(stalls).toEqual([]);
});

test('load is measured in milliseconds and percent', () => {
  const { sensor } = sensorOf();
  sensor.start();
  const { loopLagP99Ms, heapPercent } = sensor.measure();
  sensor.stop();
  expect(loopLagP99Ms).toBeGreaterThanOrEqual(0);
  expect(heapPercent).toBeGreaterThanOrEqual(0);
  expect(heapPercent).toBeLessThanOrEqual(100);
});
