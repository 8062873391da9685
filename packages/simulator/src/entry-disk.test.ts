import { encodeStoredEntry, entryKey, MemoryEntryTable, Random } from '@memgrid/core';
import type { LoadResult } from '@memgrid/core';
import type { ShardId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { EntryDisk } from './entry-disk.ts';
import { EventQueue } from './event-queue.ts';
import { SimDisk } from './sim-disk.ts';

const SHARD = 3 as ShardId;
const KEY = entryKey(SHARD, 0, 'a\u0000b');

function diskWith(index: number) {
  const queue = new EventQueue(Random.of(1));
  const after = (delayUs: number, run: () => void): void => queue.after(delayUs, run);
  const random = Random.of(1);
  const disk = new SimDisk({ random, after, tornBatches: 'discarded' });
  const entries = new EntryDisk({ disk, random, after });
  const run = (): void => queue.runUntil(queue.nowUs + 1_000_000, () => false);
  const write = (at: number): void => {
    const entry = { at: { epoch: 1, index: at }, state: Uint8Array.of(at) };
    const operations = [{ kind: 'put', key: KEY, value: encodeStoredEntry(entry) }] as const;
    entries.written(operations);
    disk.store(operations, false, () => undefined);
  };
  write(index);
  const load = (): LoadResult['kind'] | undefined => {
    let found: LoadResult['kind'] | undefined;
    entries.load(KEY, ({ kind }) => void (found = kind));
    run();
    return found;
  };
  return { disk, entries, load, run, write };
}

test('a running process reads its own writes before they are safe', () => {
  const { disk, write } = diskWith(1);
  write(2);
  expect(disk.read(KEY)?.at(-1)).toBe(2);
  disk.crash('powerOff');
});

test('a flipped entry is damaged for whoever loads or starts, until it is written again', () => {
  const { entries, load, run, write } = diskWith(1);
  run();
  expect(load()).toBe('loaded');
  expect(entries.flip(0, () => false)).toBeUndefined();
  expect(entries.flip(0, () => true)?.key).toBe('a\u0000b');
  expect(load()).toBe('damaged');
  expect(entries.hasDamaged(SHARD, 'a\u0000b')).toBe(true);
  const table = new MemoryEntryTable();
  expect(entries.open(table).damaged).toMatchObject([{ shard: SHARD, slot: 0, key: 'a\u0000b' }]);
  expect(table.get(SHARD, 0, 'a\u0000b')).toBe('paged');
  write(2);
  expect(load()).toBe('loaded');
});

test('entries go into the table and everything else into the records', () => {
  const { disk, entries, run } = diskWith(7);
  disk.store(
    [{ kind: 'put', key: 'shard/0003/m', value: Uint8Array.of(1) }],
    true,
    () => undefined,
  );
  run();
  const table = new MemoryEntryTable();
  const { damaged, records } = entries.open(table);
  expect([...records.keys()]).toEqual(['shard/0003/m']);
  expect(damaged).toEqual([]);
  expect(table.get(SHARD, 0, 'a\u0000b')).toMatchObject({ at: { epoch: 1, index: 7 } });
});
