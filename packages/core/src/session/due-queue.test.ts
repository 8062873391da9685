import { expect, test } from 'vitest';
import fc from 'fast-check';
import type { Instant } from '../machine.ts';
import { DueQueue, NOT_QUEUED } from './due-queue.ts';

interface Item {
  readonly name: number;
  dueAt: Instant;
  settled: boolean;
}

const command = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), item: fc.nat(60), at: fc.nat(1000) }),
  fc.record({ kind: fc.constant('settle' as const), item: fc.nat(60) }),
  fc.record({ kind: fc.constant('take' as const), now: fc.nat(1000) }),
);

test('it hands out what is due, in order, as a sorted list would', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 400 }), (commands) => {
      const queue = new DueQueue<Item>();
      const items = Array.from({ length: 61 }, (_, name): Item => ({
        name,
        dueAt: NOT_QUEUED,
        settled: false,
      }));
      const open = (): Item[] => items.filter((it) => !it.settled && it.dueAt !== NOT_QUEUED);
      for (const it of commands) {
        if (it.kind === 'push') {
          const item = items[it.item] as Item;
          if (!item.settled) queue.push(item, it.at as Instant);
        } else if (it.kind === 'settle') {
          const item = items[it.item] as Item;
          if (item.settled) continue;
          item.settled = true;
          queue.noteSettled();
        } else {
          const due = open().filter((item) => item.dueAt <= it.now);
          const soonest = Math.min(...due.map((item) => item.dueAt));
          const names = due.filter((item) => item.dueAt === soonest).map((item) => item.name);
          const taken = queue.take(it.now as Instant);
          if (due.length === 0) expect(taken).toBeUndefined();
          else expect(names).toContain(taken?.name);
        }
        const moments = open().map((item) => item.dueAt);
        expect(queue.next).toBe(moments.length === 0 ? undefined : Math.min(...moments));
      }
    }),
  );
});

test('leftovers do not pile up', () => {
  const queue = new DueQueue<Item>();
  for (let name = 0; name < 100_000; name += 1) {
    const item = { name, dueAt: NOT_QUEUED, settled: false };
    queue.push(item, (5_000 + name) as Instant);
    item.settled = true;
    queue.noteSettled();
  }
  expect(queue.size).toBeLessThan(600);
});
