import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NumberedItems } from './numbered-items.ts';

/** Numbers that share places, follow each other, and are larger than 32 bits. */
const number = fc.oneof(
  fc.nat({ max: 200 }),
  fc.nat({ max: 20 }).map((at) => at * 64),
  fc.nat({ max: 20 }).map((at) => Number.MAX_SAFE_INTEGER - at),
);

test('it holds what a map holds, whatever is added and taken', () => {
  const change = fc.record({ number, kind: fc.constantFrom('add', 'add', 'take', 'get') });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 400 }), (changes) => {
      const items = new NumberedItems<string>();
      const model = new Map<number, string>();
      for (const { number: at, kind } of changes) {
        if (kind === 'add' && !model.has(at)) {
          items.add(at, `${at}`);
          model.set(at, `${at}`);
        } else if (kind === 'take') {
          expect(items.take(at)).toBe(model.get(at));
          model.delete(at);
        } else expect(items.get(at)).toBe(model.get(at));
        expect(items.count).toBe(model.size);
      }
      const expected = [...model].sort(([a], [b]) => a - b).map(([, item]) => item);
      expect(items.inOrder()).toEqual(expected);
      items.clear();
      expect([items.count, items.inOrder(), items.get(1)]).toEqual([0, [], undefined]);
    }),
  );
});

test('a number is in use once', () => {
  const items = new NumberedItems<string>();
  items.add(1, 'a');
  expect(() => items.add(1, 'b')).toThrow('The number 1 is in use.');
});
