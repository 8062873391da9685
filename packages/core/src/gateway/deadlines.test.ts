import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Instant } from '../machine.ts';
import { Deadlines } from './deadlines.ts';

const at = (ms: number): Instant => ms as Instant;
/** What one bucket holds together, at most. */
const LATE_MS_MAX = 8;

test('H2: deadlines come due in time, once, unless they were struck off', () => {
  const deadline = fc.integer({ min: 0, max: 500 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), deadline }),
    fc.record({ kind: fc.constant('strike' as const), which: fc.nat(50) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 60 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const deadlines = new Deadlines();
      const waiting = new Map<number, number>();
      let now = 0;
      let nextId = 0;
      for (const one of steps) {
        if (one.kind === 'add') {
          deadlines.add(at(now + one.deadline), nextId);
          waiting.set(nextId, now + one.deadline);
          nextId += 1;
        } else if (one.kind === 'strike') {
          const due = waiting.get(one.which);
          if (due === undefined) continue;
          deadlines.strike(at(due), one.which);
          waiting.delete(one.which);
        } else {
          now += one.ms;
          for (const id of deadlines.takeDue(at(now))) {
            expect(waiting.get(id)).toBeLessThanOrEqual(now);
            expect(waiting.delete(id)).toBe(true);
          }
          for (const due of waiting.values()) expect(due).toBeGreaterThan(now - LATE_MS_MAX);
        }
        const soonest = Math.min(...waiting.values());
        if (waiting.size === 0) expect(deadlines.wakeAt).toBeUndefined();
        else {
          expect(deadlines.wakeAt).toBeGreaterThanOrEqual(soonest);
          expect(deadlines.wakeAt).toBeLessThan(soonest + LATE_MS_MAX);
        }
      }
    }),
  );
});
