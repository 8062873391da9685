import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ByteReader } from './byte-reader.ts';
import { recordsOf } from './level-log.ts';

/** What one record of a manifest says about the database, by number (LevelDB's `version_edit`). */
const SAYS = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const;

/** What a database consists of, besides its logs. */
export interface Manifest {
  /** Numbers of its tables. Others may lie beside them: a killed process leaves some behind. */
  readonly tables: ReadonlySet<number>;
  /** No row of a table has a higher sequence number. */
  readonly lastSequence: number;
}

/**
 * What the manifest says that counts. Records in it that fail their checksums are passed over:
 * LevelDB looks at these, and refuses to open.
 *
 * @returns undefined when there is no database yet; `unreadable` for a manifest that says what no
 *   LevelDB said when this was written: then nobody here knows which tables there are.
 */
export async function readManifest(
  databaseDirectory: string,
): Promise<Manifest | { readonly unreadable: string } | undefined> {
  let file = 'CURRENT';
  let bytes: Uint8Array;
  try {
    file = (await readFile(path.join(databaseDirectory, file), 'utf8')).trim();
    bytes = await readFile(path.join(databaseDirectory, file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const manifest = { tables: new Set<number>(), lastSequence: 0 };
    for (const record of recordsOf(bytes)) apply(new ByteReader(record), manifest);
    return manifest;
  } catch (error) {
    if (error instanceof RangeError) return { unreadable: file };
    throw error;
  }
}

function apply(edit: ByteReader, to: { tables: Set<number>; lastSequence: number }): void {
  while (!edit.isAtEnd) {
    const says = edit.varint();
    switch (says) {
      case SAYS.comparator:
        edit.take(edit.varint());
        break;
      case SAYS.lastSequence:
        to.lastSequence = edit.varint();
        break;
      case SAYS.logNumber:
      case SAYS.nextFile:
      case SAYS.previousLog:
        edit.varint();
        break;
      case SAYS.compactPointer:
        edit.varint();
        edit.take(edit.varint());
        break;
      case SAYS.deletedFile:
        edit.varint();
        to.tables.delete(edit.varint());
        break;
      case SAYS.newFile:
        edit.varint();
        to.tables.add(edit.varint());
        edit.varint();
        edit.take(edit.varint());
        edit.take(edit.varint());
        break;
      default:
        throw new RangeError(`The manifest says something unknown (${says}).`);
    }
  }
}
