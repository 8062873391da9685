import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HashedRecords } from './hashed-records.ts';
import { RecordIndex } from './record-index.ts';

const RECORDS = 3000;

function keyOf(record: number): string {
  return record.toString(36).padStart(4, '0');
}

function numberOf(key: string): number {
  return Number.parseInt(key, 36);
}

/** Records by number, and how often two keys were compared. */
function recordsBy(hashOfNumber: (record: number) => number) {
  const chains = new Map<number, number>();
  const counted = { comparisons: 0 };
  const records = {
    hashOf: (key: string) => hashOfNumber(numberOf(key)),
    hash: hashOfNumber,
    is: (record: number, key: string) => {
      counted.comparisons += 1;
      return keyOf(record) === key;
    },
    next: (record: number) => chains.get(record) ?? 0,
    setNext: (record: number, next: number) => void chains.set(record, next),
    compare: (record: number, key: string) => record - numberOf(key),
  };
  return { records, counted };
}

const scattered = (record: number): number => Math.imul(record, 0x9e3779b1) >>> 0;

test.each([
  { hashes: 'scattered', hashOf: scattered },
  { hashes: 'all the same', hashOf: () => 7 },
  { hashes: 'the same but for a few bits', hashOf: (record: number) => (record & 3) << 30 },
])('with hashes that are $hashes, any order of changes leaves what a map has', ({ hashOf }) => {
  const step = fc.record({ record: fc.integer({ min: 1, max: 399 }), run: fc.nat(60) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const index = new RecordIndex(recordsBy(hashOf).records);
      const twin = new Set<number>();
      for (const { record, run } of steps) {
        const goes = twin.has(record);
        for (let one = record; one < Math.min(record + run, 400); one += 1) {
          if (goes) {
            expect(index.remove(keyOf(one))).toBe(twin.delete(one) ? one : 0);
          } else if (!twin.has(one)) {
            index.insert(one, keyOf(one));
            twin.add(one);
          }
        }
      }
      for (let one = 1; one < 400; one += 1) {
        expect(index.find(keyOf(one))).toBe(twin.has(one) ? one : 0);
      }
      expect([...index]).toEqual([...twin].sort((a, b) => a - b));
      expect(index.count).toBe(twin.size);
    }),
    { numRuns: 40 },
  );
});

test('a record is found by looking at a few, however many there are', () => {
  const { records, counted } = recordsBy(scattered);
  const hashed = new HashedRecords(records);
  for (let record = 1; record <= RECORDS; record += 1) hashed.add(record, scattered(record));
  for (let record = 1; record <= RECORDS; record += 1) {
    expect(hashed.find(keyOf(record), scattered(record))).toBe(record);
  }
  expect(counted.comparisons / RECORDS).toBeLessThan(3);
});

test('keys that all meet in one chain are given up after a few steps', () => {
  const { records, counted } = recordsBy(() => 7);
  const hashed = new HashedRecords(records);
  for (let record = 1; record <= RECORDS; record += 1) hashed.add(record, 7);
  expect(hashed.find(keyOf(1), 7)).toBeUndefined();
  expect(hashed.find(keyOf(RECORDS), 7)).toBe(RECORDS);
  expect(counted.comparisons).toBeLessThan(20);
});

test('an index takes three bytes a record, and gives them back', () => {
  const { records } = recordsBy(scattered);
  const hashed = new HashedRecords(records);
  const empty = hashed.memoryBytes;
  for (let record = 1; record <= RECORDS; record += 1) hashed.add(record, scattered(record));
  expect((hashed.memoryBytes - empty) / RECORDS).toBeLessThan(3);
  for (let record = 1; record <= RECORDS; record += 1) hashed.remove(record, scattered(record));
  expect(hashed.memoryBytes - empty).toBeLessThan(200);
});
