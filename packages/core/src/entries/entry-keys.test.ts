import type { ShardId } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  entryKey,
  entryKeyPrefix,
  isEntryKey,
  isOrphanKey,
  parseEntryKey,
  shardKeyPrefix,
  shardOfKey,
} from './entry-keys.ts';
import { decodeStoredEntry, encodeStoredEntry } from './stored-entry.ts';

test('an entry lies where the layout says', () => {
  expect(entryKey(0x2a as ShardId, 1, 'acme\0x')).toBe('shard/002a/1/e/acme\0x');
  expect(entryKeyPrefix(4095 as ShardId, 0)).toBe('shard/0fff/0/e/');
});

test('an entry key comes apart into what it was made of', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(15), fc.string({ unit: 'binary' }), (shard, slot, key) => {
      const diskKey = entryKey(shard as ShardId, slot, key);
      expect(isEntryKey(diskKey)).toBe(true);
      expect(parseEntryKey(diskKey)).toEqual({ shard, slot, key });
    }),
  );
});

test.each([
  'shard/002a/m',
  'shard/002a/l/00000000000001',
  'shard/002a/0/o/00000000000001x',
  'shard/002a/r/1',
  'shard/2a/0/e/x',
  'shard/002A/0/e/x',
  'data/dots',
  'control/shard/002a/0/e/x',
])('%s is no entry', (diskKey) => {
  expect(isEntryKey(diskKey)).toBe(false);
  expect(parseEntryKey(diskKey)).toBeUndefined();
});

test('a stored entry comes back as it was', () => {
  const at = fc.record({ epoch: fc.nat(0xffff_ffff), index: fc.nat(Number.MAX_SAFE_INTEGER) });
  fc.assert(
    fc.property(at, fc.uint8Array(), (position, state) => {
      const entry = { at: position, state };
      expect(decodeStoredEntry(encodeStoredEntry(entry))).toEqual(entry);
    }),
  );
});

test('bytes of another format are no entry', () => {
  const bytes = encodeStoredEntry({ at: { epoch: 1, index: 2 }, state: Uint8Array.of(3) });
  expect(decodeStoredEntry(bytes.subarray(0, 12))).toBeUndefined();
  bytes[0] = 2;
  expect(decodeStoredEntry(bytes)).toBeUndefined();
});

test('every record of a shard tells which shard it belongs to', () => {
  expect(shardOfKey('shard/002a/m')).toBe(42);
  expect(shardOfKey(entryKey(42 as ShardId, 1, 'x'))).toBe(42);
  expect(shardOfKey('shard/2a/m')).toBeUndefined();
  expect(shardOfKey('data/dots')).toBeUndefined();
  expect(entryKey(42 as ShardId, 1, 'x').startsWith(shardKeyPrefix(42 as ShardId))).toBe(true);
  expect(isOrphanKey('shard/002a/r/00000000000001')).toBe(true);
  expect(isOrphanKey('shard/002a/0/e/r/')).toBe(false);
});
