import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageParts } from './message-parts.ts';

test('H13: a list is cut where it must be, and nowhere else', () => {
  const bounds = { countMax: 3, bytesMax: 10 };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 15 })), (weights) => {
      const message = new MessageParts<number>(bounds);
      for (const weight of weights) message.add(weight, weight);
      const { parts } = message;
      expect(parts.flat()).toEqual(weights);
      for (const [at, part] of parts.entries()) {
        const bytesOf = (some: readonly number[]): number => some.reduce((a, b) => a + b, 0);
        expect(part.length).toBeGreaterThan(0);
        expect(part.length).toBeLessThanOrEqual(bounds.countMax);
        if (part.length > 1) expect(bytesOf(part)).toBeLessThanOrEqual(bounds.bytesMax);
        const next = parts[at + 1]?.[0];
        if (next === undefined) continue;
        const fits = part.length < bounds.countMax && bytesOf(part) + next <= bounds.bytesMax;
        expect(fits).toBe(false);
      }
    }),
  );
});
