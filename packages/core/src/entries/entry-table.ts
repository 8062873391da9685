import type { ShardId, ShardPosition } from '@memgrid/protocol';

/** What is stored under one key: the state that its last record left, and which record that was. */
export interface StoredEntry {
  readonly at: ShardPosition;
  /** Bytes of `entryStateField`. Never changed in place, neither by the table nor by its callers. */
  readonly state: Uint8Array;
}

/** `paged`: it is there, but only on disk; ask with a `load` effect. */
export type Lookup = StoredEntry | 'absent' | 'paged';

/**
 * All entries of one node, by shard, slot and key: a data structure, no protocol. Keys are
 * `storedKey(namespace, id)`: any text of at most 65,535 UTF-16 code units.
 *
 * Bounded by bytes: above the bound the values of entries that are safe on disk are dropped, those
 * that were not used for long first, and only their keys stay. A value that is not on disk is
 * never dropped, so the bound is exceeded rather than an entry lost.
 */
export interface EntryTable {
  /** Counts as a use. A returned state stays as it is, whatever happens to the table. */
  get(shard: ShardId, slot: number, key: string): Lookup;
  /**
   * The same for a short look: the state may be a view that is right only until the table changes,
   * which saves a copy of what is read in passing.
   */
  look(shard: ShardId, slot: number, key: string): Lookup;
  /**
   * Copies or keeps `entry.state`: it must not be changed afterwards.
   *
   * @param onDisk whether the value could be read back from disk if it were dropped now.
   */
  put(shard: ShardId, slot: number, key: string, entry: StoredEntry, onDisk: boolean): void;
  /**
   * Says that the disk has something under this key that could not be read: `paged`, so that
   * nobody takes it for absent. Without effect when the entry is there already.
   */
  putUnread(shard: ShardId, slot: number, key: string): void;
  /**
   * The value has reached the disk: from now on it may be dropped from memory. Without effect
   * when the entry is at another position by now: that value has not reached the disk.
   */
  flushed(shard: ShardId, slot: number, key: string, at: ShardPosition): void;
  /**
   * Puts a value back that was `paged`. Without effect when the entry is absent or in memory, or
   * when `entry` is older than what was dropped: the read overtook a write.
   *
   * @returns false when it is older.
   */
  restore(shard: ShardId, slot: number, key: string, entry: StoredEntry): boolean;
  delete(shard: ShardId, slot: number, key: string): void;
  /** Keys in ascending order (by UTF-16 code units), after `after`, at most `limit`. */
  keys(shard: ShardId, slot: number, after: string, limit: number): readonly string[];
  /** Entries, also those that are `paged`. */
  count(shard: ShardId, slot: number): number;
  /** Code units of all keys and bytes of all states, also of those that are `paged`. */
  bytes(shard: ShardId, slot: number): number;
  clear(shard: ShardId, slot: number): void;
  /** What the bound is compared with: keys and states in memory and what it takes to find them. */
  readonly memoryBytes: number;
  /** Entries whose state is only on disk. */
  readonly pagedCount: number;
}
