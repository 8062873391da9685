import fc from 'fast-check';
import { expect, test } from 'vitest';
import { at } from '../testing/membership-fixture.ts';
import { Deadlines } from './deadlines.ts';

test('what is due comes earliest first, and nothing before its time', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 100 })),
      fc.integer({ min: 0, max: 100 }),
      (moments, now) => {
        const deadlines = new Deadlines<number>();
        for (const moment of moments) deadlines.add(at(moment), moment);
        const taken: number[] = [];
        for (
          let next = deadlines.takeDue(at(now));
          next !== undefined;
          next = deadlines.takeDue(at(now))
        ) {
          taken.push(next);
        }
        expect(taken).toEqual(moments.filter((moment) => moment <= now).sort((a, b) => a - b));
        expect(deadlines.size).toBe(moments.length - taken.length);
        const rest = moments.filter((moment) => moment > now);
        expect(deadlines.nextAt).toBe(rest.length === 0 ? undefined : Math.min(...rest));
      },
    ),
  );
});
