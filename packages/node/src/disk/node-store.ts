import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { decodeStoredEntry, entryKey, parseEntryKey } from '@memgrid/core';
import type { EntryTable, LoadResult } from '@memgrid/core';
import { ClusterError } from '@memgrid/protocol';
import { Level } from 'level';
import { sealed, unsealed, unsealedView } from './checksum.ts';
import { ReusedSeal } from './reused-seal.ts';
import { entryProblem, readContents } from './directory-contents.ts';
import type { Database, DirectoryContents } from './directory-contents.ts';
import { forgetOwner, noteOwner } from './directory-lock.ts';
import { corruptError, openError, unknownLayoutError } from './disk-error.ts';
import type { DiskFinding } from './disk-finding.ts';
import { diskKey, LAYOUT, LAYOUT_KEY } from './disk-keys.ts';
import type { EntryPlace } from './entry-reader.ts';
import type { RecordOperation } from './group-commit.ts';
import { damagedTables } from './level-tables.ts';
import type { TableDamage } from './level-tables.ts';
import { LogSync } from './log-sync.ts';
import { makeDirectory } from './make-directory.ts';
import { StoredBytes } from './stored-bytes.ts';
import { holeInLogs } from './write-ahead-logs.ts';
import { WRITE_BUFFER_BYTES } from './write-buffer.ts';

/**
 * Everything one node remembers: a `level` database, used by one process at a time.
 *
 * Records are sealed with a checksum, which is checked whenever one is read back: all of them at
 * start, entries also when they are loaded, and by the scrub.
 */
export class NodeStore {
  readonly directory: string;
  readonly #records: Map<string, Uint8Array>;
  /** What was damaged at start. */
  readonly findings: readonly DiskFinding[];
  readonly #database: Database;
  readonly #bytes: StoredBytes;
  readonly #logSync: LogSync;
  readonly #seals = new ReusedSeal();

  private constructor(parts: StoreParts) {
    this.directory = parts.directory;
    this.#records = parts.contents.records;
    this.findings = parts.contents.findings;
    this.#database = parts.database;
    this.#bytes = parts.bytes;
    this.#logSync = new LogSync(path.join(parts.directory, DATABASE));
  }

  /**
   * Opens the directory, creating it when it is missing, and reads everything in it.
   *
   * @param entries takes the entries, so that a restart serves what it holds; a tool that is not
   *   interested in them leaves it out.
   * @throws ClusterError DIRECTORY_LOCKED, DIRECTORY_CORRUPT, or BAD_CONFIGURATION when it can
   * not be created, read or written. No record is changed in any of these cases.
   */
  static async open(directory: string, entries?: EntryTable): Promise<NodeStore> {
    // First, and alone: a `Level` opens itself once it exists, and makes directories for that.
    await makeDirectory(directory).catch((error: unknown) => {
      throw openError(directory, error);
    });
    const place = path.join(directory, DATABASE);
    await checkFiles(directory, place);
    const database = new Level<string, Uint8Array>(place, DATABASE_OPTIONS) as Database;
    try {
      await database.open();
    } catch (error) {
      throw openError(directory, error);
    }
    try {
      const isOlder = await checkLayout(directory, database);
      const contents = await readContents(directory, database, entries);
      if (isOlder) await writeLayout(database);
      await database.batch(contents.damagedOrphans.map((key) => ({ type: 'del', key })));
      const bytes = await StoredBytes.of(() => database.approximateSize('', LAST_KEY));
      noteOwner(directory);
      return new NodeStore({ directory, database, contents, bytes });
    } catch (error) {
      await database.close();
      throw error instanceof ClusterError ? error : openError(directory, error);
    }
  }

  /** All records as found at start, by the machine's keys, but no entries. */
  get records(): ReadonlyMap<string, Uint8Array> {
    return this.#records;
  }

  /** Whoever needed the records has read them: in a full node they are a hundred megabytes. */
  forgetRecords(): void {
    this.#records.clear();
  }

  /** Bytes that the database takes on disk, about. */
  get bytesUsed(): number {
    return this.#bytes.used;
  }

  /** Bytes that the file system still has for this user. */
  async bytesFree(): Promise<number> {
    const { bavail, bsize } = await statfs(this.directory);
    return bavail * bsize;
  }

  /**
   * All operations or none. With `sync` it resolves only after they survive a power cut, and all
   * earlier writes with them. One write at a time.
   */
  async write(operations: readonly RecordOperation[], sync: boolean): Promise<void> {
    if (operations.length === 0) return;
    if (sync) await this.#logSync.beforeSynced();
    // In a chain, each operation is copied where it will be written from; in an array, LevelDB's
    // binding first makes two objects of it.
    const batch = this.#database.batch();
    let bytes = 0;
    for (const operation of operations) {
      const key = diskKey(operation.key);
      bytes += key.length;
      if (operation.kind === 'delete') {
        batch.del(key);
        continue;
      }
      bytes += operation.value.byteLength;
      batch.put(key, this.#seals.seal(key, operation.value));
    }
    await batch.write({ sync });
    if (!sync) this.#logSync.wroteUnsynced();
    this.#bytes.written(bytes);
  }

  /** Entries as they lie on disk, in the order asked for. A damaged one spoils no other. */
  async load(places: readonly EntryPlace[]): Promise<readonly LoadResult[]> {
    const keys = places.map(({ shard, slot, key }) => entryKey(shard, slot, key));
    try {
      const values = await this.#database.getMany(keys);
      return keys.map((key, at) => loaded(key, values[at]));
    } catch {
      // One unreadable block fails them all: only one by one it shows which are meant.
      return await Promise.all(keys.map((key) => this.#loadOne(key)));
    }
  }

  /**
   * Looks at the records behind `after` at rest, past every cache, until about `bytes` are read.
   */
  async inspect(after: string, bytes: number): Promise<Inspection> {
    const rows = this.#database.iterator({
      gt: after,
      fillCache: false,
      highWaterMarkBytes: INSPECTED_AT_ONCE,
    });
    const damaged: string[] = [];
    let last = after;
    let readBytes = 0;
    try {
      while (readBytes < bytes) {
        const some = await rows.nextv(INSPECTED_ROWS);
        if (some.length === 0) return { damaged, last: undefined, readBytes, problem: undefined };
        for (const [key, value] of some) {
          readBytes += key.length + value.byteLength;
          if (unsealedView(key, value) === undefined) damaged.push(key);
          last = key;
        }
      }
      return { damaged, last, readBytes, problem: undefined };
    } catch (error) {
      const problem = `What lies behind "${last}" can not be read: ${(error as Error).message}`;
      return { damaged, last, readBytes, problem };
    } finally {
      await rows.close();
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
    forgetOwner(this.directory);
  }

  async #loadOne(key: string): Promise<LoadResult> {
    try {
      return loaded(key, await this.#database.get(key));
    } catch (error) {
      const problem = `It can not be read: ${(error as Error).message}`;
      return { kind: 'damaged', problem };
    }
  }
}

const DATABASE_OPTIONS = { valueEncoding: 'view', writeBufferSize: WRITE_BUFFER_BYTES } as const;

/** The folder of the database in the data directory. */
const DATABASE = 'db';

interface StoreParts {
  readonly directory: string;
  readonly database: Database;
  readonly contents: DirectoryContents;
  readonly bytes: StoredBytes;
}

/** A stretch of the database, looked at. */
export interface Inspection {
  /** Disk keys. */
  readonly damaged: readonly string[];
  /** The last key that was read; undefined at the end. */
  readonly last: string | undefined;
  readonly readBytes: number;
  /** Why it ended before its time. */
  readonly problem: string | undefined;
}

/** Behind every key that is used. */
const LAST_KEY = '\uffff';

const INSPECTED_ROWS = 100;
const INSPECTED_AT_ONCE = 64 * 1024;

function loaded(key: string, bytes: Uint8Array | undefined): LoadResult {
  if (bytes === undefined) return { kind: 'absent' };
  const value = unsealed(key, bytes);
  const entry = value === undefined ? undefined : decodeStoredEntry(value);
  if (entry === undefined) return { kind: 'damaged', problem: entryProblem(value) };
  return { kind: 'loaded', entry };
}

/**
 * Before LevelDB opens the database: it would replay of its logs what it can and delete the
 * evidence, and carry damaged blocks into new tables as if nothing were the matter.
 *
 * @throws ClusterError DIRECTORY_CORRUPT for any damage but that of entries, which their own seals
 *   show one by one.
 */
async function checkFiles(directory: string, databaseDirectory: string): Promise<void> {
  const problem = await problemOfFiles(databaseDirectory).catch((error: unknown) => {
    throw openError(directory, error);
  });
  if (problem !== undefined) throw corruptError(directory, problem);
}

async function problemOfFiles(databaseDirectory: string): Promise<string | undefined> {
  const hole = await holeInLogs(databaseDirectory);
  if (hole !== undefined) {
    const { file, offset, missingOperations } = hole;
    return (
      `its write-ahead log has a hole: ${missingOperations} operations are missing before byte ` +
      `${offset} of db/${file}`
    );
  }
  const damages = await damagedTables(databaseDirectory);
  const worst = damages.find((damage) => !spoilsOnlyEntries(damage));
  return worst === undefined ? undefined : `db/${worst.file} is damaged at byte ${worst.offset}`;
}

/**
 * Whether everything in a damaged block but some entries is as it was sealed. When all of it is,
 * the damage is in what tells the rows apart, and LevelDB may see fewer than there are.
 */
function spoilsOnlyEntries({ rows }: TableDamage): boolean {
  const spoilt = rows?.filter(({ key, value }) => unsealedView(key, value) === undefined) ?? [];
  return spoilt.length > 0 && spoilt.every(({ key }) => parseEntryKey(key) !== undefined);
}

/** @returns whether an older memgrid wrote the directory. */
async function checkLayout(directory: string, database: Database): Promise<boolean> {
  const found = await database.get(LAYOUT_KEY);
  if (found === undefined) {
    for await (const key of database.keys({ limit: 1 })) {
      const detail = `holds a database that memgrid did not write (its first key is "${key}")`;
      throw unknownLayoutError(directory, detail);
    }
    await writeLayout(database);
    return false;
  }
  const layout = unsealed(LAYOUT_KEY, found)?.[0];
  if (layout === undefined) throw corruptError(directory, 'its layout record is damaged');
  if (layout > LAYOUT) {
    const detail = `has layout ${layout}; this version of memgrid reads up to ${LAYOUT}`;
    throw unknownLayoutError(directory, detail);
  }
  return layout < LAYOUT;
}

async function writeLayout(database: Database): Promise<void> {
  const value = sealed(LAYOUT_KEY, Uint8Array.of(LAYOUT));
  await database.batch([{ type: 'put', key: LAYOUT_KEY, value }], { sync: true });
}
