import path from 'node:path';
import { ClusterError } from '@memgrid/protocol';
import { Level } from 'level';
import { sealed, unsealed } from './checksum.ts';
import { forgetOwner, noteOwner } from './directory-lock.ts';
import { corruptError, openError, unknownLayoutError } from './disk-error.ts';
import type { RecordOperation } from './group-commit.ts';
import { makeDirectory } from './make-directory.ts';

/** The arrangement of the database. Raised when an older memgrid could not read it any more. */
const LAYOUT = 1;
const LAYOUT_KEY = 'meta/layout';

/** Control records live under this prefix; what comes later (shards, outbox) gets its own. */
const CONTROL_PREFIX = 'control/';
/** The first string behind every key with the prefix: '0' is the character after '/'. */
const CONTROL_END = 'control0';

type Database = Level<string, Uint8Array>;

/**
 * Everything one node remembers: a `level` database, used by one process at a time.
 *
 * Records are sealed with a checksum, which is checked when they are read back at start; the store
 * is only written afterwards.
 */
export class NodeStore {
  readonly directory: string;
  /** The control records as found at start, by key. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly #database: Database;

  private constructor(
    directory: string,
    database: Database,
    records: ReadonlyMap<string, Uint8Array>,
  ) {
    this.directory = directory;
    this.#database = database;
    this.records = records;
  }

  /**
   * Opens the directory, creating it when it is missing, and reads all control records.
   *
   * @throws ClusterError DIRECTORY_LOCKED, DIRECTORY_CORRUPT, or BAD_CONFIGURATION when it can
   * not be created, read or written. No record is changed in any of these cases.
   */
  static async open(directory: string): Promise<NodeStore> {
    // First, and alone: a `Level` opens itself once it exists, and makes directories for that.
    await makeDirectory(directory).catch((error: unknown) => {
      throw openError(directory, error);
    });
    const database: Database = new Level(path.join(directory, 'db'), { valueEncoding: 'view' });
    try {
      await database.open();
    } catch (error) {
      throw openError(directory, error);
    }
    try {
      await checkLayout(directory, database);
      const records = await readControlRecords(directory, database);
      noteOwner(directory);
      return new NodeStore(directory, database, records);
    } catch (error) {
      await database.close();
      throw error instanceof ClusterError ? error : openError(directory, error);
    }
  }

  /** All operations or none. With `sync` it resolves only after they survive a power cut. */
  async write(operations: readonly RecordOperation[], sync: boolean): Promise<void> {
    await this.#database.batch(
      operations.map((operation) => {
        const key = CONTROL_PREFIX + operation.key;
        return operation.kind === 'put'
          ? { type: 'put' as const, key, value: sealed(key, operation.value) }
          : { type: 'del' as const, key };
      }),
      { sync },
    );
  }

  async close(): Promise<void> {
    await this.#database.close();
    forgetOwner(this.directory);
  }
}

async function checkLayout(directory: string, database: Database): Promise<void> {
  const found = await database.get(LAYOUT_KEY);
  if (found === undefined) {
    for await (const key of database.keys({ limit: 1 })) {
      const detail = `holds a database that memgrid did not write (its first key is "${key}")`;
      throw unknownLayoutError(directory, detail);
    }
    const value = sealed(LAYOUT_KEY, Uint8Array.of(LAYOUT));
    await database.batch([{ type: 'put', key: LAYOUT_KEY, value }], { sync: true });
    return;
  }
  const layout = unsealed(LAYOUT_KEY, found)?.[0];
  if (layout === undefined) throw corruptError(directory, 'its layout record is damaged');
  if (layout > LAYOUT) {
    const detail = `has layout ${layout}; this version of memgrid reads up to ${LAYOUT}`;
    throw unknownLayoutError(directory, detail);
  }
}

async function readControlRecords(
  directory: string,
  database: Database,
): Promise<Map<string, Uint8Array>> {
  const records = new Map<string, Uint8Array>();
  for await (const [key, bytes] of database.iterator({ gte: CONTROL_PREFIX, lt: CONTROL_END })) {
    const value = unsealed(key, bytes);
    if (value === undefined) throw corruptError(directory, `the record "${key}" is damaged`);
    records.set(key.slice(CONTROL_PREFIX.length), value);
  }
  return records;
}
