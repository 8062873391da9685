import { decodeStoredEntry, isOrphanKey, parseEntryKey, shardOfKey } from '@memgrid/core';
import type { EntryTable } from '@memgrid/core';
import type { ClusterError } from '@memgrid/protocol';
import type { Level } from 'level';
import { unsealedView } from './checksum.ts';
import { corruptError, unknownLayoutError } from './disk-error.ts';
import type { DiskFinding } from './disk-finding.ts';
import { LAYOUT_KEY, machineKey } from './disk-keys.ts';

/** LevelDB itself: the typings of `level` only name what a browser's database can do too. */
export type Database = Level<string, Uint8Array> & {
  approximateSize(from: string, to: string): Promise<number>;
};

/** Rows of one step of the iterator: a thousand cost a millisecond, and sockets wait meanwhile. */
const ROWS_AT_ONCE = 1000;
const BYTES_AT_ONCE = 1024 * 1024;

/** Everything that a directory holds, apart from the entries, which are in the table. */
export interface DirectoryContents {
  /** By the machine's keys. */
  readonly records: Map<string, Uint8Array>;
  readonly findings: DiskFinding[];
  /** Disk keys of orphans that are damaged; they are still in place. */
  readonly damagedOrphans: readonly string[];
}

/**
 * Reads the whole database once, in order, and checks every checksum.
 *
 * What a damaged record means depends on what it is. An entry can be fetched from another replica.
 * An orphan is gone. Everything else says what this node is, has voted for, has promised and has
 * acknowledged, and a node that has forgotten some of that may help to forget a write: then the
 * directory is not used. Dropping only the shard in question would not do: an empty replica with
 * this node's name would count in majorities that rest on what it no longer knows.
 *
 * @param entries filled; undefined to look at everything else only.
 * @throws ClusterError DIRECTORY_CORRUPT.
 */
export async function readContents(
  directory: string,
  database: Database,
  entries: EntryTable | undefined,
): Promise<DirectoryContents> {
  const reading = new Reading(directory, entries);
  const rows = database.iterator({ fillCache: false, highWaterMarkBytes: BYTES_AT_ONCE });
  try {
    while (true) {
      const some = await rows.nextv(ROWS_AT_ONCE);
      if (some.length === 0) return reading;
      for (const [key, bytes] of some) reading.take(key, bytes);
    }
  } finally {
    await rows.close();
  }
}

class Reading implements DirectoryContents {
  readonly records = new Map<string, Uint8Array>();
  readonly findings: DiskFinding[] = [];
  readonly damagedOrphans: string[] = [];
  readonly #directory: string;
  readonly #entries: EntryTable | undefined;

  constructor(directory: string, entries: EntryTable | undefined) {
    this.#directory = directory;
    this.#entries = entries;
  }

  take(key: string, bytes: Uint8Array): void {
    if (key === LAYOUT_KEY) return;
    if (key.startsWith('shard/')) {
      this.#takeOfShard(key, bytes);
      return;
    }
    const name = machineKey(key);
    if (name === undefined) {
      throw unknownLayoutError(this.#directory, `holds a record of an unknown kind, "${key}"`);
    }
    const value = unsealedView(key, bytes);
    if (value === undefined) throw this.#damaged(key);
    this.records.set(name, value);
  }

  #takeOfShard(key: string, bytes: Uint8Array): void {
    const entry = parseEntryKey(key);
    if (entry !== undefined) {
      if (this.#entries === undefined) return;
      const value = unsealedView(key, bytes);
      const stored = value === undefined ? undefined : decodeStoredEntry(value);
      if (stored !== undefined) {
        this.#entries.put(entry.shard, entry.slot, entry.key, stored, true);
        return;
      }
      this.#entries.putUnread(entry.shard, entry.slot, entry.key);
      const problem = entryProblem(value);
      this.findings.push({ kind: 'damagedEntry', ...entry, problem });
      return;
    }
    const value = unsealedView(key, bytes);
    if (value !== undefined) {
      this.records.set(key, value);
      return;
    }
    const shard = shardOfKey(key);
    if (shard === undefined || !isOrphanKey(key)) throw this.#damaged(key);
    this.damagedOrphans.push(key);
    const problem = `The record "${key}" fails its checksum.`;
    this.findings.push({ kind: 'lostOrphan', shard, problem });
  }

  #damaged(key: string): ClusterError {
    return corruptError(this.#directory, `the record "${key}" is damaged`);
  }
}

/** @param value what was under the seal; undefined when the seal is broken. */
export function entryProblem(value: Uint8Array | undefined): string {
  return value === undefined
    ? 'What is stored fails its checksum.'
    : 'What is stored is in a form that this version does not know.';
}
