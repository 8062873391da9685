import { expect, test } from 'vitest';
import { LatencyRecord } from './latency-record.ts';

test('percentiles are off by a thousandth at most, from microseconds to minutes', () => {
  const record = new LatencyRecord();
  for (let at = 1; at <= 100_000; at += 1) record.add(at / 1_000);
  const { p50, p90, p99, p999, max } = record.summary();
  for (const [measured, wanted] of [
    [p50, 50],
    [p90, 90],
    [p99, 99],
    [p999, 99.9],
    [max, 100],
  ] as const) {
    expect(Math.abs(measured - wanted) / wanted).toBeLessThanOrEqual(0.001);
  }
});

test('a single value is every percentile', () => {
  const record = new LatencyRecord();
  record.add(0.000_4);
  expect(record.summary().max).toBeCloseTo(0.000_001);
  expect(record.count).toBe(1);
});

test('a day counts as an hour, and going back in time as no time', () => {
  const record = new LatencyRecord();
  record.add(86_400_000);
  record.add(-5);
  const { max } = record.summary();
  expect(max / 3_600_000).toBeCloseTo(1, 2);
  expect(record.count).toBe(2);
});

test('without a value there are no numbers', () => {
  expect(new LatencyRecord().summary()).toEqual({ p50: 0, p90: 0, p99: 0, p999: 0, max: 0 });
});
