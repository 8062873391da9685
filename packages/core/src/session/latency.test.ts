import { expect, test } from 'vitest';
import { Latency } from './latency.ts';

test('the 95th percentile is within a bucket of the true one', () => {
  const latency = new Latency();
  for (let at = 0; at < 320; at += 1) latency.add(at % 20 === 0 ? 80 : 2);
  expect(latency.p95Ms).toBeGreaterThanOrEqual(2);
  expect(latency.p95Ms).toBeLessThan(2.4);
  for (let at = 0; at < 320; at += 1) latency.add(at % 10 === 0 ? 80 : 2);
  expect(latency.p95Ms).toBeGreaterThan(80);
  expect(latency.p95Ms).toBeLessThan(96);
});

test('what was long ago fades', () => {
  const latency = new Latency();
  for (let at = 0; at < 1000; at += 1) latency.add(500);
  for (let at = 0; at < 5000; at += 1) latency.add(1);
  expect(latency.p95Ms).toBeLessThan(2);
  expect(latency.meanMs).toBeLessThan(2);
});

test.each([0, 1e-9, 1e9, Number.NaN])('a strange sample (%d) breaks nothing', (ms) => {
  const latency = new Latency();
  for (let at = 0; at < 64; at += 1) latency.add(ms);
  expect(latency.p95Ms).toBeGreaterThan(0);
});
