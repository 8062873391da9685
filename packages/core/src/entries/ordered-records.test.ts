import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OrderedRecords } from './ordered-records.ts';

/** An index over records whose keys are in `keys`, by number. */
function indexOf(keys: readonly string[]): OrderedRecords {
  return new OrderedRecords({
    compare: (record, key) => {
      const own = keys[record] as string;
      return own < key ? -1 : own > key ? 1 : 0;
    },
  });
}

function keyOf(number: number): string {
  return number.toString(36).padStart(4, '0');
}

test.each([
  { order: 'ascending', next: (i: number) => i },
  { order: 'descending', next: (i: number) => 3000 - i },
  { order: 'scattered', next: (i: number) => (i * 7919) % 3001 },
])('keys that come $order are found and listed in order', ({ next }) => {
  const keys = Array.from({ length: 3001 }, (_, i) => keyOf(i));
  const index = indexOf(keys);
  const inserted = Array.from({ length: 3000 }, (_, i) => next(i + 1));
  for (const record of inserted) index.insert(record, keyOf(record));
  const sorted = [...inserted].sort((a, b) => a - b);
  expect([...index]).toEqual(sorted);
  expect(index.after('', 5000)).toEqual(sorted);
  for (const record of inserted) expect(index.find(keyOf(record))).toBe(record);
  expect(index.after(keyOf(1000), 3)).toEqual(sorted.filter((one) => one > 1000).slice(0, 3));
});

test('ascending keys fill their blocks', () => {
  const keys = Array.from({ length: 100_001 }, (_, i) => keyOf(i));
  const index = indexOf(keys);
  for (let record = 1; record <= 100_000; record += 1) index.insert(record, keyOf(record));
  expect(index.memoryBytes / 100_000).toBeLessThan(5);
});

test('what was removed is gone, and the index shrinks with it', () => {
  const keys = Array.from({ length: 5001 }, (_, i) => keyOf(i));
  const index = indexOf(keys);
  for (let record = 1; record <= 5000; record += 1) index.insert(record, keyOf(record));
  const full = index.memoryBytes;
  for (let record = 1; record <= 5000; record += 1) {
    if (record % 50 !== 0) expect(index.remove(keyOf(record))).toBe(record);
  }
  expect(index.count).toBe(100);
  expect([...index]).toEqual(Array.from({ length: 100 }, (_, i) => 50 * (i + 1)));
  expect(index.memoryBytes).toBeLessThan(full / 5);
  expect(index.remove(keyOf(1))).toBe(0);
  for (const record of index.after('', 100)) index.remove(keyOf(record));
  expect(index.count).toBe(0);
  expect(index.memoryBytes).toBe(0);
  expect(index.after('', 1)).toEqual([]);
});

test('any order of insertions and removals leaves a sorted list', () => {
  const keys = Array.from({ length: 2000 }, (_, i) => keyOf(i));
  const step = fc.record({ record: fc.integer({ min: 1, max: 1999 }), run: fc.nat(300) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const index = indexOf(keys);
      const expected = new Set<number>();
      for (const { record, run } of steps) {
        // A run of neighbours comes or goes, so that blocks split and merge.
        const goes = expected.has(record);
        for (let one = record; one < Math.min(record + run, 2000); one += 1) {
          if (goes) {
            expect(index.remove(keyOf(one))).toBe(expected.delete(one) ? one : 0);
          } else if (!expected.has(one)) {
            index.insert(one, keyOf(one));
            expected.add(one);
          }
        }
      }
      const sorted = [...expected].sort((a, b) => a - b);
      expect([...index]).toEqual(sorted);
      expect(index.count).toBe(sorted.length);
      for (let one = 1; one < 2000; one += 37) {
        expect(index.find(keyOf(one))).toBe(expected.has(one) ? one : 0);
        expect(index.after(keyOf(one), 2)).toEqual(sorted.filter((it) => it > one).slice(0, 2));
      }
    }),
    { numRuns: 60 },
  );
});
