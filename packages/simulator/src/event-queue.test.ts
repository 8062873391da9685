import { Random } from '@memgrid/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventQueue } from './event-queue.ts';

const never = (): boolean => false;

test('S1: events run in the order of their time, and ties in an order drawn from the seed', () => {
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.nat(50), { maxLength: 60 }), (seed, times) => {
      const run = (): string[] => {
        const queue = new EventQueue(Random.of(seed));
        const seen: string[] = [];
        times.forEach((atUs, index) => queue.at(atUs, () => seen.push(`${atUs}/${index}`)));
        queue.runUntil(100, never);
        return seen;
      };
      const seen = run();
      expect(seen.map((entry) => Number(entry.split('/')[0]))).toEqual(
        times.toSorted((a, b) => a - b),
      );
      expect(run()).toEqual(seen);
    }),
  );
});

test('S1: another seed breaks ties in another order', () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 20; seed += 1) {
    const queue = new EventQueue(Random.of(seed));
    const seen: number[] = [];
    for (let event = 0; event < 5; event += 1) queue.at(7, () => seen.push(event));
    queue.runUntil(7, never);
    orders.add(seen.join());
  }
  expect(orders.size).toBeGreaterThan(10);
});

test('the clock stands at the moment of the event that runs, and then at the end of the run', () => {
  const queue = new EventQueue(Random.of(1));
  const times: number[] = [];
  queue.at(3, () => {
    times.push(queue.nowUs);
    queue.after(4.4, () => times.push(queue.nowUs));
  });
  queue.runUntil(10, never);
  expect(times).toEqual([3, 7]);
  expect(queue.nowUs).toBe(10);
  expect(() => queue.at(9, () => undefined)).toThrow('cannot be queued');
});
