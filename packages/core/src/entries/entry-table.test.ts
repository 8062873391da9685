import type { ShardId } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EntryTable, Lookup, StoredEntry } from './entry-table.ts';
import { MemoryEntryTable } from './memory-entry-table.ts';
import { SlabEntryTable } from './slab-entry-table.ts';

/** Every implementation passes every test below. */
const IMPLEMENTATIONS: readonly {
  readonly name: string;
  readonly make: (bytesMax?: number) => EntryTable;
}[] = [
  {
    name: 'MemoryEntryTable',
    make: (bytesMax) => new MemoryEntryTable(bytesMax === undefined ? {} : { bytesMax }),
  },
  {
    name: 'SlabEntryTable',
    make: (bytesMax) =>
      new SlabEntryTable({ slabBytes: 4096, ...(bytesMax === undefined ? {} : { bytesMax }) }),
  },
];

const SHARD = 7 as ShardId;
const OTHER = 8 as ShardId;

function entryOf(index: number, bytes = 300): StoredEntry {
  return { at: { epoch: 1, index }, state: new Uint8Array(bytes).fill(index) };
}

function keyOf(number: number): string {
  return `acme\0${number.toString().padStart(8, '0')}`;
}

/** Everything under one slot, read page by page. */
function allKeys(table: EntryTable, shard: ShardId, slot: number, limit: number): string[] {
  const found: string[] = [];
  while (true) {
    const page = table.keys(shard, slot, found.at(-1) ?? '', limit);
    found.push(...page);
    if (page.length < limit) return found;
  }
}

test.each(IMPLEMENTATIONS)('$name: a look sees what is there, and is a use', ({ make }) => {
  const table = make();
  expect(table.look(SHARD, 0, 'a')).toBe('absent');
  table.put(SHARD, 0, 'a', entryOf(1), false);
  const seen = table.look(SHARD, 0, 'a') as StoredEntry;
  expect({ at: seen.at, state: seen.state.slice() }).toEqual(entryOf(1));
  table.putUnread(SHARD, 0, 'b');
  expect(table.look(SHARD, 0, 'b')).toBe('paged');
});

test.each(IMPLEMENTATIONS)('$name: what was put is found, only under its own key', ({ make }) => {
  const table = make();
  table.put(SHARD, 0, 'a', entryOf(1), false);
  table.put(SHARD, 0, 'b', entryOf(2, 0), true);
  expect(table.get(SHARD, 0, 'a')).toEqual(entryOf(1));
  expect(table.get(SHARD, 0, 'b')).toEqual(entryOf(2, 0));
  for (const [shard, slot, key] of [
    [SHARD, 1, 'a'],
    [OTHER, 0, 'a'],
    [SHARD, 0, 'c'],
    [SHARD, 0, ''],
  ] as const) {
    expect(table.get(shard, slot, key)).toBe('absent');
  }
  table.put(SHARD, 0, 'a', entryOf(3, 10_000), false);
  expect(table.get(SHARD, 0, 'a')).toEqual(entryOf(3, 10_000));
  expect(table.count(SHARD, 0)).toBe(2);
  expect(table.bytes(SHARD, 0)).toBe(2 + 10_000);
  table.delete(SHARD, 0, 'a');
  table.delete(SHARD, 0, 'a');
  table.delete(SHARD, 5, 'a');
  expect(table.get(SHARD, 0, 'a')).toBe('absent');
  expect(table.bytes(SHARD, 0)).toBe(1);
});

test.each(IMPLEMENTATIONS)('$name: large values and positions come back exactly', ({ make }) => {
  const table = make();
  const entry = {
    at: { epoch: 2 ** 32 - 1, index: 2 ** 53 - 1 },
    state: new Uint8Array(3_000_000).fill(5),
  };
  const key = 'é\u{1F600}\ud800\uffff'.repeat(1000);
  table.put(0xffff as ShardId, 15, key, entry, false);
  const found = table.get(0xffff as ShardId, 15, key) as StoredEntry;
  expect(found.at).toEqual(entry.at);
  expect(Buffer.compare(found.state, entry.state)).toBe(0);
  expect(table.keys(0xffff as ShardId, 15, '', 9)).toEqual([key]);
});

test.each(IMPLEMENTATIONS)('$name: a state that was handed out never changes', ({ make }) => {
  const table = make(200_000);
  for (let number = 0; number < 300; number += 1) {
    table.put(SHARD, 0, keyOf(number), entryOf(number), true);
  }
  const kept = table.get(SHARD, 0, keyOf(299)) as StoredEntry;
  const before = kept.state.slice();
  for (let round = 0; round < 20; round += 1) {
    for (let number = 0; number < 300; number += 1) {
      table.put(SHARD, 0, keyOf(number), entryOf(number + round), true);
    }
  }
  table.clear(SHARD, 0);
  expect(kept.state).toEqual(before);
});

test.each(IMPLEMENTATIONS)('$name: keys come in order of code units, in pages', ({ make }) => {
  const table = make();
  const keys = ['', 'B', 'a', 'a\0', 'aa', 'b', 'z', 'é', 'ÿ', 'Ā', '\u{1F600}', '\uffff'];
  for (const key of [...keys].reverse()) table.put(SHARD, 1, key, entryOf(1), true);
  // '' begins before everything, so an entry of that key is on no page.
  for (const limit of [1, 2, 5, 100]) {
    expect(allKeys(table, SHARD, 1, limit)).toEqual(keys.slice(1).sort());
  }
  expect(table.keys(SHARD, 1, 'a', 2)).toEqual(['a\0', 'aa']);
  expect(table.keys(SHARD, 1, 'aaa', 1)).toEqual(['b']);
  expect(table.keys(SHARD, 1, '\uffff', 10)).toEqual([]);
  expect(table.keys(SHARD, 1, '', 0)).toEqual([]);
  expect(table.keys(SHARD, 0, '', 10)).toEqual([]);
});

test.each(IMPLEMENTATIONS)('$name: a page goes on while keys come and go', ({ make }) => {
  const table = make();
  for (let number = 0; number < 1000; number += 2) {
    table.put(SHARD, 0, keyOf(number), entryOf(1), true);
  }
  const first = table.keys(SHARD, 0, '', 100);
  expect(first.at(-1)).toBe(keyOf(198));
  table.delete(SHARD, 0, keyOf(198));
  table.delete(SHARD, 0, keyOf(200));
  table.put(SHARD, 0, keyOf(199), entryOf(1), true);
  expect(table.keys(SHARD, 0, first.at(-1) ?? '', 2)).toEqual([keyOf(199), keyOf(202)]);
});

test.each(IMPLEMENTATIONS)('$name: clearing a slot leaves the others alone', ({ make }) => {
  const table = make();
  const empty = table.memoryBytes;
  for (let number = 0; number < 3000; number += 1) {
    table.put(SHARD, number % 2, keyOf(number), entryOf(number), number % 3 === 0);
  }
  table.put(OTHER, 0, 'a', entryOf(1), false);
  table.clear(SHARD, 0);
  table.clear(SHARD, 9);
  expect(table.count(SHARD, 0)).toBe(0);
  expect(table.bytes(SHARD, 0)).toBe(0);
  expect(table.keys(SHARD, 0, '', 10)).toEqual([]);
  expect(table.count(SHARD, 1)).toBe(1500);
  expect(table.get(SHARD, 1, keyOf(2999))).toEqual(entryOf(2999));
  expect(table.get(OTHER, 0, 'a')).toEqual(entryOf(1));
  table.put(SHARD, 0, 'again', entryOf(4), false);
  expect(table.keys(SHARD, 0, '', 10)).toEqual(['again']);
  for (const slot of [0, 1]) table.clear(SHARD, slot);
  table.clear(OTHER, 0);
  expect(table.memoryBytes - empty).toBeLessThan(1500 * 300);
});

const BYTES_MAX = 1_500_000;
const SURPLUS = 10_000;

/** Three times as many bytes as fit, all of them on disk. */
function fullTable(make: (bytesMax?: number) => EntryTable): EntryTable {
  const table = make(BYTES_MAX);
  for (let number = 0; number < SURPLUS; number += 1) {
    table.put(SHARD, 0, keyOf(number), entryOf(number), true);
  }
  return table;
}

test.each(IMPLEMENTATIONS)('$name: above the bound, values on disk are dropped', ({ make }) => {
  const table = fullTable(make);
  expect(table.memoryBytes).toBeLessThanOrEqual(BYTES_MAX);
  expect(table.pagedCount).toBeGreaterThan(SURPLUS / 2);
  // A bound that drops everything is not a bound.
  expect(table.pagedCount).toBeLessThan(0.95 * SURPLUS);
  expect(table.count(SHARD, 0)).toBe(SURPLUS);
  expect(table.bytes(SHARD, 0)).toBe(SURPLUS * (keyOf(0).length + 300));
  expect(table.get(SHARD, 0, keyOf(SURPLUS - 1))).toEqual(entryOf(SURPLUS - 1));
  expect(table.get(SHARD, 0, keyOf(0))).toBe('paged');
  expect(allKeys(table, SHARD, 0, 999)).toHaveLength(SURPLUS);
});

test.each(IMPLEMENTATIONS)('$name: what is in use stays longer than what is not', ({ make }) => {
  const table = make(BYTES_MAX);
  const favourites = Array.from({ length: 100 }, (_, number) => keyOf(number * 7));
  for (let number = 0; number < SURPLUS; number += 1) {
    table.put(SHARD, 0, keyOf(number), entryOf(number), true);
    // Each of them every hundred puts, while about two thousand fit.
    table.get(SHARD, 0, favourites[number % 100] ?? '');
  }
  const kept = favourites.filter((key) => table.get(SHARD, 0, key) !== 'paged');
  expect(kept).toHaveLength(100);
});

test.each(IMPLEMENTATIONS)('$name: a value that is not on disk is never dropped', ({ make }) => {
  const table = make(BYTES_MAX);
  for (let number = 0; number < SURPLUS; number += 1) {
    table.put(SHARD, 0, keyOf(number), entryOf(number), false);
  }
  expect(table.pagedCount).toBe(0);
  expect(table.memoryBytes).toBeGreaterThan(SURPLUS * 300);
  for (let number = 0; number < SURPLUS; number += 1) {
    expect(table.get(SHARD, 0, keyOf(number))).toEqual(entryOf(number));
  }
  // A newer value that is not on disk is kept too, although an older one has arrived there.
  table.put(SHARD, 0, keyOf(1), entryOf(SURPLUS), false);
  for (let number = 0; number < SURPLUS; number += 1) {
    table.flushed(SHARD, 0, keyOf(number), { epoch: 1, index: number });
  }
  for (let number = 0; number < SURPLUS; number += 1) {
    table.put(SHARD, 1, keyOf(number), entryOf(number), true);
  }
  expect(table.memoryBytes).toBeLessThanOrEqual(1.6 * BYTES_MAX);
  expect(table.get(SHARD, 0, keyOf(1))).toEqual(entryOf(SURPLUS));
  expect(table.get(SHARD, 0, keyOf(2))).toBe('paged');
});

test.each(IMPLEMENTATIONS)('$name: a paged value is put back, unless it is stale', ({ make }) => {
  const table = fullTable(make);
  expect(table.restore(SHARD, 0, keyOf(0), entryOf(0))).toBe(true);
  expect(table.get(SHARD, 0, keyOf(0))).toEqual(entryOf(0));
  // What is in memory, or is gone, is newer than what was read.
  table.restore(SHARD, 0, keyOf(0), entryOf(99));
  expect(table.get(SHARD, 0, keyOf(0))).toEqual(entryOf(0));
  table.restore(SHARD, 0, 'absent', entryOf(99));
  expect(table.get(SHARD, 0, 'absent')).toBe('absent');
  // The read began before a write that has been dropped again meanwhile.
  const older = { at: { epoch: 1, index: 4 }, state: new Uint8Array(1) };
  expect(table.restore(SHARD, 0, keyOf(5), older)).toBe(false);
  const earlier = { at: { epoch: 0, index: 7 }, state: new Uint8Array(1) };
  expect(table.restore(SHARD, 0, keyOf(6), earlier)).toBe(false);
  expect(table.get(SHARD, 0, keyOf(5))).toBe('paged');
  expect(table.get(SHARD, 0, keyOf(6))).toBe('paged');
  // A new value replaces a paged one; deleting a paged one forgets its key.
  table.put(SHARD, 0, keyOf(5), entryOf(SURPLUS), false);
  expect(table.get(SHARD, 0, keyOf(5))).toEqual(entryOf(SURPLUS));
  table.delete(SHARD, 0, keyOf(6));
  expect(table.get(SHARD, 0, keyOf(6))).toBe('absent');
  expect(table.memoryBytes).toBeLessThanOrEqual(BYTES_MAX);
});

test.each(IMPLEMENTATIONS)('$name: what could not be read is paged, not absent', ({ make }) => {
  const table = make();
  table.put(SHARD, 0, 'b', entryOf(2), true);
  table.putUnread(SHARD, 0, 'a');
  table.putUnread(SHARD, 0, 'a');
  table.putUnread(SHARD, 0, 'b');
  expect(table.get(SHARD, 0, 'a')).toBe('paged');
  expect(table.get(SHARD, 0, 'b')).toEqual(entryOf(2));
  expect(table.keys(SHARD, 0, '', 9)).toEqual(['a', 'b']);
  expect(table.pagedCount).toBe(1);
  expect(table.bytes(SHARD, 0)).toBe(302);
  table.restore(SHARD, 0, 'a', entryOf(1));
  expect(table.get(SHARD, 0, 'a')).toEqual(entryOf(1));
  expect(table.pagedCount).toBe(0);
  table.putUnread(SHARD, 0, 'c');
  table.delete(SHARD, 0, 'c');
  table.putUnread(SHARD, 0, 'd');
  table.clear(SHARD, 0);
  expect(table.pagedCount).toBe(0);
});

type Step =
  | { readonly kind: 'put'; readonly key: number; readonly bytes: number; readonly onDisk: boolean }
  | { readonly kind: 'get' | 'flushed' | 'restore' | 'delete'; readonly key: number }
  | { readonly kind: 'keys'; readonly key: number; readonly limit: number }
  | { readonly kind: 'clear' };

const key = fc.integer({ min: 0, max: 40 });
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key,
      bytes: fc.oneof(fc.nat(600), fc.constant(20_000)),
      onDisk: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'get' as const,
        'flushed' as const,
        'restore' as const,
        'delete' as const,
      ),
      key,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('keys' as const), key, limit: fc.nat(20) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
);

/** One slot as it should be: every value, and which of them are on disk. */
class Expected {
  readonly entries = new Map<string, { entry: StoredEntry; onDisk: boolean }>();

  check(found: Lookup, name: string): void {
    const held = this.entries.get(name);
    if (held === undefined) expect(found).toBe('absent');
    else if (found === 'paged') expect(held.onDisk).toBe(true);
    else expect(found).toEqual(held.entry);
  }
}

function playStep(table: EntryTable, expected: Expected, step: Step, index: number): void {
  const slot = 0;
  const name = step.kind === 'clear' ? '' : keyOf(step.key);
  const held = expected.entries.get(name);
  switch (step.kind) {
    case 'put': {
      const entry = entryOf(index, step.bytes);
      table.put(SHARD, slot, name, entry, step.onDisk);
      expected.entries.set(name, { entry, onDisk: step.onDisk });
      return;
    }
    case 'get':
      return expected.check(table.get(SHARD, slot, name), name);
    case 'flushed':
      if (held === undefined) return table.flushed(SHARD, slot, name, { epoch: 1, index });
      held.onDisk = true;
      return table.flushed(SHARD, slot, name, held.entry.at);
    case 'restore':
      if (held?.onDisk === true) table.restore(SHARD, slot, name, held.entry);
      return;
    case 'delete':
      expected.entries.delete(name);
      return table.delete(SHARD, slot, name);
    case 'keys': {
      const wanted = [...expected.entries.keys()].sort().filter((one) => one > name);
      expect(table.keys(SHARD, slot, name, step.limit)).toEqual(wanted.slice(0, step.limit));
      return;
    }
    case 'clear':
      expected.entries.clear();
      return table.clear(SHARD, slot);
  }
}

test.each(IMPLEMENTATIONS)('$name: any order of calls leaves what a plain map has', ({ make }) => {
  fc.assert(
    fc.property(
      fc.array(STEP, { minLength: 1, maxLength: 150 }),
      fc.constantFrom(undefined, 5_000, 50_000),
      (steps, bytesMax) => {
        const table = make(bytesMax);
        const expected = new Expected();
        for (const [index, step] of steps.entries()) playStep(table, expected, step, index);
        let bytes = 0;
        let paged = 0;
        for (const [name, { entry }] of expected.entries) {
          const found = table.get(SHARD, 0, name);
          expected.check(found, name);
          if (found === 'paged') paged += 1;
          bytes += name.length + entry.state.byteLength;
        }
        expect(table.count(SHARD, 0)).toBe(expected.entries.size);
        expect(table.bytes(SHARD, 0)).toBe(bytes);
        expect(table.pagedCount).toBe(paged);
      },
    ),
    { numRuns: 200 },
  );
});
