import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeStoredEntry, entryKey, MemoryEntryTable } from '@memgrid/core';
import type { StoredEntry } from '@memgrid/core';
import { isClusterError } from '@memgrid/protocol';
import type { ShardId } from '@memgrid/protocol';
import { Level } from 'level';
import { expect, onTestFinished, test } from 'vitest';
import { sealed } from './checksum.ts';
import { LAYOUT } from './disk-keys.ts';
import type { RecordOperation } from './group-commit.ts';
import { NodeStore } from './node-store.ts';

const FIVE = 5 as ShardId;
const SIX = 6 as ShardId;
const value = Uint8Array.of(1, 2, 3);

function directoryOf(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

function entryOf(index: number): StoredEntry {
  return { at: { epoch: 1, index }, state: new Uint8Array(40).fill(index) };
}

function put(key: string, bytes: Uint8Array = value): RecordOperation {
  return { kind: 'put', key, value: bytes };
}

function putEntry(shard: ShardId, slot: number, key: string, index: number): RecordOperation {
  return put(entryKey(shard, slot, key), encodeStoredEntry(entryOf(index)));
}

/** A closed directory with two shards, some control records and a lease. */
async function filledDirectory(): Promise<string> {
  const directory = directoryOf();
  const store = await NodeStore.open(directory);
  await store.write(
    [
      put('node/identity'),
      put('data/dots'),
      ...[FIVE, SIX].flatMap((shard) => [
        put(`shard/000${shard}/m`),
        put(`shard/000${shard}/0/l/00000000000001`),
        put(`shard/000${shard}/r/00000000000001`),
        putEntry(shard, 0, 'acme\0a', 1),
        putEntry(shard, 0, 'acme\0b', 2),
        putEntry(shard, 1, 'acme\0a', 3),
      ]),
    ],
    true,
  );
  await store.close();
  return directory;
}

/** Changes one bit of what lies under a disk key. */
async function flipBit(directory: string, key: string): Promise<void> {
  await withDatabase(directory, async (database) => {
    const bytes = await database.get(key);
    bytes[1] = (bytes[1] ?? 0) ^ 0x10;
    await database.put(key, bytes);
  });
}

async function withDatabase(
  directory: string,
  change: (database: Level<string, Uint8Array>) => Promise<void>,
): Promise<void> {
  const database = new Level<string, Uint8Array>(path.join(directory, 'db'), {
    valueEncoding: 'view',
  });
  await database.open();
  await change(database);
  await database.close();
}

async function opened(directory: string, table = new MemoryEntryTable()) {
  const store = await NodeStore.open(directory, table);
  onTestFinished(() => store.close());
  return { store, table };
}

const OTHER_RECORDS = [
  'data/dots',
  'node/identity',
  'shard/0005/0/l/00000000000001',
  'shard/0005/m',
  'shard/0005/r/00000000000001',
  'shard/0006/0/l/00000000000001',
  'shard/0006/m',
  'shard/0006/r/00000000000001',
];

test('a restart finds entries in the table and everything else by key', async () => {
  const { store, table } = await opened(await filledDirectory());
  expect([...store.records.keys()].sort()).toEqual(OTHER_RECORDS);
  expect(store.findings).toEqual([]);
  expect(table.get(FIVE, 0, 'acme\0a')).toEqual(entryOf(1));
  expect(table.get(SIX, 1, 'acme\0a')).toEqual(entryOf(3));
  expect(table.keys(SIX, 0, '', 10)).toEqual(['acme\0a', 'acme\0b']);
  expect([FIVE, SIX].map((shard) => table.count(shard, 0) + table.count(shard, 1))).toEqual([3, 3]);
});

test('what is found may be dropped from memory, because it can be read back', async () => {
  const { store, table } = await opened(
    await filledDirectory(),
    new MemoryEntryTable({ bytesMax: 60 }),
  );
  expect(table.pagedCount).toBeGreaterThan(0);
  expect(table.get(FIVE, 0, 'acme\0a')).toBe('paged');
  expect(await store.load([{ shard: FIVE, slot: 0, key: 'acme\0a' }])).toEqual([
    { kind: 'loaded', entry: entryOf(1) },
  ]);
});

test('a tool that wants no entries gets all other records', async () => {
  const store = await NodeStore.open(await filledDirectory());
  expect([...store.records.keys()].sort()).toEqual(OTHER_RECORDS);
  await store.close();
});

test('a directory of the first layout is taken over as it is', async () => {
  const directory = directoryOf();
  await withDatabase(directory, async (database) => {
    await database.put('meta/layout', sealed('meta/layout', Uint8Array.of(1)));
    await database.put('control/node/identity', sealed('control/node/identity', value));
  });
  const first = await NodeStore.open(directory);
  expect([...first.records]).toEqual([['node/identity', value]]);
  await first.close();
  await withDatabase(directory, async (database) => {
    // A memgrid that knows layout 1 only must refuse it from now on.
    expect((await database.get('meta/layout'))[0]).toBe(LAYOUT);
  });
});

test('a damaged entry is told and spoils nothing else', async () => {
  const directory = await filledDirectory();
  await flipBit(directory, entryKey(FIVE, 0, 'acme\0a'));
  const { store, table } = await opened(directory);
  const problem = 'What is stored fails its checksum.';
  expect(store.findings).toEqual([
    { kind: 'damagedEntry', shard: FIVE, slot: 0, key: 'acme\0a', problem },
  ]);
  expect([...store.records.keys()].sort()).toEqual(OTHER_RECORDS);
  expect(table.get(FIVE, 0, 'acme\0b')).toEqual(entryOf(2));
  // It is there: whoever asks for it must not be told that it is not.
  expect(table.get(FIVE, 0, 'acme\0a')).toBe('paged');
  const place = { shard: FIVE, slot: 0, key: 'acme\0a' };
  expect(await store.load([place])).toEqual([{ kind: 'damaged', problem }]);
});

test('an entry in a form of the future is damaged too', async () => {
  const directory = await filledDirectory();
  const first = await NodeStore.open(directory);
  await first.write([put(entryKey(FIVE, 0, 'acme\0a'), Uint8Array.of(99, 1, 2, 3))], true);
  await first.close();
  const { store } = await opened(directory);
  expect(store.findings).toMatchObject([
    { key: 'acme\0a', problem: 'What is stored is in a form that this version does not know.' },
  ]);
});

test('a damaged orphan is lost alone', async () => {
  const directory = await filledDirectory();
  await flipBit(directory, 'shard/0006/r/00000000000001');
  const { store } = await opened(directory);
  expect(store.findings).toMatchObject([{ kind: 'lostOrphan', shard: SIX }]);
  expect(store.records.has('shard/0006/r/00000000000001')).toBe(false);
  expect(store.records.has('shard/0006/m')).toBe(true);
});

// A node that has forgotten what it promised or acknowledged must not answer as if it never had.
test.each([
  ['data/dots', /the record "data\/dots" is damaged/],
  ['shard/0005/m', /the record "shard\/0005\/m" is damaged/],
  ['shard/0005/0/l/00000000000001', /the record "shard\/0005\/0\/l\/0+1" is damaged/],
  ['control/node/identity', /the record "control\/node\/identity" is damaged/],
])('with %s damaged the directory is not used', async (key, wanted) => {
  const directory = await filledDirectory();
  await flipBit(directory, key);
  const error: unknown = await NodeStore.open(directory).catch((caught: unknown) => caught);
  if (!isClusterError(error, 'DIRECTORY_CORRUPT')) throw error;
  expect(error.message).toMatch(wanted);
});

test('a record that no memgrid wrote is not ignored', async () => {
  const directory = await filledDirectory();
  await withDatabase(directory, async (database) => await database.put('sha2d/x', value));
  const error: unknown = await NodeStore.open(directory).catch((caught: unknown) => caught);
  if (!isClusterError(error, 'DIRECTORY_CORRUPT')) throw error;
  expect(error.message).toMatch(/holds a record of an unknown kind, "sha2d\/x"/);
});

test('entries are loaded in the order asked for', async () => {
  const directory = await filledDirectory();
  await flipBit(directory, entryKey(SIX, 0, 'acme\0b'));
  const { store } = await opened(directory);
  const results = await store.load(
    ['acme\0b', 'nobody', 'acme\0a'].map((key) => ({ shard: SIX, slot: 0, key })),
  );
  expect(results.map((one) => one.kind)).toEqual(['damaged', 'absent', 'loaded']);
  expect(results[2]).toEqual({ kind: 'loaded', entry: entryOf(1) });
  expect(await store.load([])).toEqual([]);
});

test('an inspection walks over everything and names what is damaged', async () => {
  const directory = await filledDirectory();
  const damaged = entryKey(SIX, 0, 'acme\0a');
  const { store } = await opened(directory);
  await store.write(
    Array.from({ length: 500 }, (_, i) => putEntry(FIVE, 0, `acme\0${i}`, i)),
    false,
  );
  await store.close();
  await flipBit(directory, damaged);
  const { store: again } = await opened(directory);
  const found: string[] = [];
  let after: string | undefined = '';
  let steps = 0;
  while (after !== undefined) {
    const inspection = await again.inspect(after, 1);
    found.push(...inspection.damaged);
    after = inspection.last;
    steps += 1;
  }
  expect(found).toEqual([damaged]);
  expect(steps).toBeGreaterThan(4);
});

test('the used bytes grow with what is written and are known after a restart', async () => {
  const directory = directoryOf();
  const { store } = await opened(directory);
  expect(store.bytesUsed).toBe(0);
  let seed = 1;
  const noise = Uint8Array.from({ length: 100_000 }, () => {
    seed = Math.imul(seed, 1_103_515_245) + 12_345;
    return seed >>> 16;
  });
  for (let i = 0; i < 300; i += 1) await store.write([put(`shard/0001/0/l/${i}`, noise)], false);
  expect(store.bytesUsed).toBeGreaterThan(25_000_000);
  expect(store.bytesUsed).toBeLessThan(45_000_000);
  await store.close();
  const { store: again } = await opened(directory);
  expect(again.bytesUsed).toBeGreaterThan(20_000_000);
});
