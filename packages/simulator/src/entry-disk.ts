import { decodeStoredEntry, parseEntryKey } from '@memgrid/core';
import type {
  EntryKey,
  EntryTable,
  LoadResult,
  Random,
  ShardsInput,
  StoredEntry,
  StoreOperation,
} from '@memgrid/core';
import type { ShardId } from '@memgrid/protocol';
import type { SimDisk } from './sim-disk.ts';

export interface EntryDiskOptions {
  readonly disk: SimDisk;
  readonly random: Random;
  readonly after: (delayUs: number, run: () => void) => void;
}

/** What a directory holds when a process starts: entries are in the table that was given. */
export interface DirectoryContents {
  readonly records: ReadonlyMap<string, Uint8Array>;
  /** Entries that failed their checksum: the first thing that the machine is told. */
  readonly damaged: readonly (ShardsInput & { readonly kind: 'damaged' })[];
}

const LOAD_US_MIN = 50;
const LOAD_US_MAX = 3_000;

/**
 * The entries of one data directory, as production's storage serves them: all of them at start, one
 * by one later, each with its checksum; and the bits that flip.
 */
export class EntryDisk {
  readonly #options: EntryDiskOptions;
  /** Disk keys of entries whose bytes no longer match their checksum. */
  readonly #damaged = new Set<string>();

  constructor(options: EntryDiskOptions) {
    this.#options = options;
  }

  /** A process opens the directory. */
  open(entries: EntryTable): DirectoryContents {
    const records = new Map<string, Uint8Array>();
    const damaged: DirectoryContents['damaged'][number][] = [];
    for (const [diskKey, value] of this.#options.disk.open()) {
      const parsed = parseEntryKey(diskKey);
      if (parsed === undefined) {
        records.set(diskKey, value);
        continue;
      }
      const { shard, slot, key } = parsed;
      const entry = this.#damaged.has(diskKey) ? undefined : decodeStoredEntry(value);
      if (entry !== undefined) {
        entries.put(shard, slot, key, entry, true);
        continue;
      }
      entries.putUnread(shard, slot, key);
      damaged.push({ kind: 'damaged', shard, slot, key, problem: 'Read at start.' });
    }
    return { records, damaged };
  }

  /** Reads one entry back; `loaded` is told after a while, whoever then still waits for it. */
  load(diskKey: string, loaded: (result: LoadResult) => void): void {
    const { after, random } = this.#options;
    after(random.between(LOAD_US_MIN, LOAD_US_MAX), () => loaded(this.#read(diskKey)));
  }

  /** What a load would answer at once, for whoever compares nodes. */
  peek(diskKey: string): StoredEntry | undefined {
    const result = this.#read(diskKey);
    return result.kind === 'loaded' ? result.entry : undefined;
  }

  /** New bytes come with a new checksum. */
  written(operations: readonly StoreOperation[]): void {
    for (const { key } of operations) this.#damaged.delete(key);
  }

  /** One stored entry no longer matches its checksum, if `allowed` agrees to one. */
  flip(pick: number, allowed: (entry: EntryKey) => boolean): EntryKey | undefined {
    const candidates = [...this.#options.disk.snapshot().keys()].filter((diskKey) => {
      const parsed = parseEntryKey(diskKey);
      return parsed !== undefined && allowed(parsed);
    });
    const diskKey = candidates[pick % candidates.length];
    if (diskKey === undefined) return undefined;
    this.#damaged.add(diskKey);
    return parseEntryKey(diskKey);
  }

  /** Whether a copy of this entry is damaged, in whichever slot. */
  hasDamaged(shard: ShardId, key: string): boolean {
    for (const diskKey of this.#damaged) {
      const parsed = parseEntryKey(diskKey);
      if (parsed?.shard === shard && parsed.key === key) return true;
    }
    return false;
  }

  #read(diskKey: string): LoadResult {
    const bytes = this.#options.disk.read(diskKey);
    if (bytes === undefined) return { kind: 'absent' };
    const entry = this.#damaged.has(diskKey) ? undefined : decodeStoredEntry(bytes);
    if (entry !== undefined) return { kind: 'loaded', entry };
    return { kind: 'damaged', problem: 'The checksum does not match.' };
  }
}
