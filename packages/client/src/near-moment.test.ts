import { expect, test } from 'vitest';
import type { Instant } from '@memgrid/core';
import { NearMoment } from './near-moment.ts';

function ticking(): { readonly moment: NearMoment; readonly readings: () => number } {
  let readings = 0;
  const now = (): Instant => {
    readings += 1;
    return readings as Instant;
  };
  return { moment: new NearMoment({ now, wallMs: () => 0 }), readings: () => readings };
}

test('sixteen hits of one stretch of code share a reading of the clock', () => {
  const { moment, readings } = ticking();
  const seen = Array.from({ length: 32 }, () => moment.now());
  expect(seen).toEqual([...Array(16).fill(1), ...Array(16).fill(2)]);
  expect(readings()).toBe(2);
});

test('the next callback of the event loop reads the clock anew, and what waits for a promise does not', async () => {
  const { moment } = ticking();
  await new Promise((resolve) => setImmediate(resolve));
  expect([moment.now(), moment.now()]).toEqual([1, 1]);
  await Promise.resolve();
  expect(moment.now()).toBe(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(moment.now()).toBe(2);
});
