import type { ShardId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { Random } from '../random.ts';
import { MemoryEntryTable } from './memory-entry-table.ts';
import { SlabEntryTable } from './slab-entry-table.ts';

const SHARDS = 3;

test.each([
  { name: 'with room for all', bytesMax: 100_000_000, slabBytes: 16_384 },
  { name: 'with room for a third', bytesMax: 1_200_000, slabBytes: 16_384 },
  { name: 'with room for keys only', bytesMax: 1, slabBytes: 16_384 },
  { name: 'with many tiny slabs', bytesMax: 1_000_000, slabBytes: 512 },
])('$name, 100,000 calls leave what the plain table has', ({ bytesMax, slabBytes }) => {
  const random = Random.of(5);
  const table = new SlabEntryTable({ bytesMax, slabBytes });
  const oracle = new MemoryEntryTable();
  for (let index = 1; index <= 100_000; index += 1) {
    const shard = random.below(SHARDS) as ShardId;
    const key = `k${random.below(2000)}${random.below(10) === 0 ? 'Ω' : ''}`;
    const dice = random.below(100);
    if (dice < 50) {
      const bytes = random.below(200) === 0 ? 30_000 : random.below(700);
      const entry = { at: { epoch: 1, index }, state: new Uint8Array(bytes).fill(index) };
      table.put(shard, 0, key, entry, true);
      oracle.put(shard, 0, key, entry, true);
    } else if (dice < 90) {
      const wanted = oracle.get(shard, 0, key);
      const found = table.get(shard, 0, key);
      if (found !== 'paged') expect(found).toEqual(wanted);
      else if (typeof wanted === 'object') table.restore(shard, 0, key, wanted);
    } else {
      table.delete(shard, 0, key);
      oracle.delete(shard, 0, key);
    }
  }
  for (let shard = 0 as ShardId; shard < SHARDS; shard = (shard + 1) as ShardId) {
    const keys = oracle.keys(shard, 0, '', 10_000);
    expect(table.keys(shard, 0, '', 10_000)).toEqual(keys);
    expect(table.bytes(shard, 0)).toBe(oracle.bytes(shard, 0));
    for (const key of keys) {
      const found = table.get(shard, 0, key);
      if (found !== 'paged') expect(found).toEqual(oracle.get(shard, 0, key));
      table.delete(shard, 0, key);
    }
    expect(table.count(shard, 0)).toBe(0);
  }
  expect(table.pagedCount).toBe(0);
});

test('replacing values over and over takes no more memory than a quarter beyond them', () => {
  const table = new SlabEntryTable({ slabBytes: 65_536 });
  const random = Random.of(1);
  let index = 0;
  const write = (key: number): void => {
    const entry = { at: { epoch: 1, index: (index += 1) }, state: new Uint8Array(300) };
    table.put(0 as ShardId, 0, `key ${key}`, entry, false);
  };
  for (let key = 0; key < 10_000; key += 1) write(key);
  const filled = table.memoryBytes;
  for (let round = 0; round < 100_000; round += 1) write(random.below(10_000));
  expect(table.memoryBytes).toBeLessThan(1.35 * filled);
  // And most of it comes back, although nothing was ever cleared as a whole.
  for (let key = 0; key < 10_000; key += 1) {
    if (key % 10 !== 0) table.delete(0 as ShardId, 0, `key ${key}`);
  }
  expect(table.memoryBytes).toBeLessThan(0.35 * filled);
});

test('an entry costs about a hundred bytes beyond its key and value', () => {
  const table = new SlabEntryTable();
  const state = new Uint8Array(300);
  for (let i = 0; i < 100_000; i += 1) {
    const shard = (i % 256) as ShardId;
    const key = `acme\0${((i * 7919) % 100_000).toString().padStart(36, '0')}`;
    table.put(shard, 0, key, { at: { epoch: 1, index: i }, state }, false);
  }
  const overhead = table.memoryBytes / 100_000 - 341;
  expect(overhead).toBeLessThan(100);
});
