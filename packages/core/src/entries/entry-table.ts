import type { ShardId, ShardPosition } from '@memgrid/protocol';

/** What is stored under one key: the state that its last record left, and which record that was. */
export interface StoredEntry {
  readonly at: ShardPosition;
  /** Bytes of `entryStateField`. Never changed in place. */
  readonly state: Uint8Array;
}

/** `paged`: it is there, but only on disk; ask with a `load` effect. */
export type Lookup = StoredEntry | 'absent' | 'paged';

/**
 * All entries of one node, by shard, slot and key: a data structure, no protocol. Keys are
 * `storedKey(namespace, id)`.
 *
 * Bounded by bytes: above the bound the values of entries that are safe on disk are dropped, least
 * recently used first, and only their keys stay.
 */
export interface EntryTable {
  get(shard: ShardId, slot: number, key: string): Lookup;
  /** @param onDisk whether the value could be read back from disk if it were dropped now. */
  put(shard: ShardId, slot: number, key: string, entry: StoredEntry, onDisk: boolean): void;
  /** The value has reached the disk: from now on it may be dropped from memory. */
  flushed(shard: ShardId, slot: number, key: string, at: ShardPosition): void;
  /** Puts a value back that was `paged`, unless a newer one came meanwhile. */
  restore(shard: ShardId, slot: number, key: string, entry: StoredEntry): void;
  delete(shard: ShardId, slot: number, key: string): void;
  /** Keys in ascending order (by UTF-16 code units), after `after`, at most `limit`. */
  keys(shard: ShardId, slot: number, after: string, limit: number): readonly string[];
  count(shard: ShardId, slot: number): number;
  bytes(shard: ShardId, slot: number): number;
  clear(shard: ShardId, slot: number): void;
  /** Bytes of all values and keys in memory. */
  readonly memoryBytes: number;
}
