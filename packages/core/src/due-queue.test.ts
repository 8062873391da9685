import { expect, test } from 'vitest';
import fc from 'fast-check';
import type { Instant } from './machine.ts';
import { DueQueue, NOT_QUEUED } from './due-queue.ts';

interface Item {
  readonly name: number;
  dueAt: Instant;
}

const command = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), item: fc.nat(60), at: fc.nat(1000) }),
  fc.record({ kind: fc.constant('remove' as const), item: fc.nat(60) }),
  fc.record({ kind: fc.constant('take' as const), now: fc.nat(1000) }),
);

function itemsOf(count: number): readonly Item[] {
  return Array.from({ length: count }, (_, name): Item => ({ name, dueAt: NOT_QUEUED }));
}

test('it hands out what is due, in order, as a sorted list would', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 400 }), (commands) => {
      const queue = new DueQueue<Item>();
      const items = itemsOf(61);
      const queued = new Map<Item, number>();
      for (const it of commands) {
        if (it.kind === 'add') {
          const item = items[it.item] as Item;
          queue.add(it.at as Instant, item);
          queued.set(item, it.at);
        } else if (it.kind === 'remove') {
          const item = items[it.item] as Item;
          queue.remove(item);
          queued.delete(item);
        } else {
          const soonest = Math.min(...queued.values());
          const taken = queue.take(it.now as Instant);
          if (soonest > it.now) {
            expect(taken).toBeUndefined();
          } else {
            expect(queued.get(taken as Item)).toBe(soonest);
            queued.delete(taken as Item);
          }
        }
        expect(queue.earliest).toBe(queued.size === 0 ? undefined : Math.min(...queued.values()));
        for (const item of items) expect(item.dueAt).toBe(queued.get(item) ?? NOT_QUEUED);
        expect(queue.size).toBeGreaterThanOrEqual(queued.size);
      }
    }),
  );
});

test('leftovers do not pile up, taken out or moved', () => {
  const queue = new DueQueue<Item>();
  const [first, moved] = itemsOf(2) as [Item, Item];
  queue.add(1 as Instant, first);
  for (let at = 0; at < 100_000; at += 1) {
    const [item] = itemsOf(1) as [Item];
    queue.add((5_000 + at) as Instant, item);
    queue.remove(item);
    queue.add((6_000 + (at % 7)) as Instant, moved);
  }
  expect(queue.size).toBeLessThan(600);
  expect([queue.take(1 as Instant), queue.earliest]).toEqual([first, moved.dueAt]);
});

test('what was swept is what nobody waits for', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { minLength: 600, maxLength: 2_000 }), (moments) => {
      const queue = new DueQueue<Item>();
      const items = itemsOf(20);
      const queued = new Map<Item, number>();
      for (const [turn, at] of moments.entries()) {
        // A few moments and a few items: many are queued twice for the same one.
        const item = items[(turn * 7 + at) % items.length] as Item;
        if (at === 3) {
          queue.remove(item);
          queued.delete(item);
        } else {
          queue.remove(item);
          queue.add(at as Instant, item);
          queued.set(item, at);
        }
      }
      expect(queue.size).toBeLessThan(600);
      const taken: Item[] = [];
      const now = 10 as Instant;
      for (let item = queue.take(now); item !== undefined; item = queue.take(now)) taken.push(item);
      expect(new Set(taken)).toEqual(new Set(queued.keys()));
      expect([taken.length, queue.size]).toEqual([queued.size, 0]);
    }),
  );
});
