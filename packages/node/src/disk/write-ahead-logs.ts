import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fragmentsOf, TYPE } from './level-log.ts';

/** A batch begins with its sequence number (8 bytes) and the count of its operations (4 bytes). */
const BATCH_HEAD_BYTES = 12;

/** A hole in the write-ahead logs of a database: acknowledged writes are missing. */
export interface LogHole {
  readonly file: string;
  /** Where the first intact batch behind the hole begins. */
  readonly offset: number;
  readonly missingOperations: number;
}

/**
 * Looks for batches that are missing between others, before the database is opened.
 *
 * LevelDB replays its logs when it opens, skips what fails its checksum without a word, and then
 * deletes them: one flipped bit takes a vote or a thousand acknowledged entries away, and nobody
 * is told. Batches are numbered without gaps, so a gap is proof. Missing at the very end is what a
 * power cut leaves of writes that were not synced; nobody was told that they are safe.
 *
 * @returns the first hole; undefined when there is none.
 */
export async function holeInLogs(databaseDirectory: string): Promise<LogHole | undefined> {
  let expected: bigint | undefined;
  for (const file of await logFiles(databaseDirectory)) {
    const bytes = await bytesOf(path.join(databaseDirectory, file));
    for (const { offset, sequence, count } of batchesOf(bytes)) {
      if (expected !== undefined && sequence !== expected) {
        return { file, offset, missingOperations: Number(sequence - expected) };
      }
      expected = sequence + BigInt(count);
    }
  }
  return undefined;
}

async function bytesOf(log: string): Promise<Uint8Array> {
  try {
    return await readFile(log);
  } catch (error) {
    // Another process is at work here: opening the database will say so.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Uint8Array(0);
    throw error;
  }
}

/** Names of the logs in a database's directory, in the order in which they were written. */
export async function logFiles(databaseDirectory: string): Promise<readonly string[]> {
  let names: readonly string[];
  try {
    names = await readdir(databaseDirectory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => /^\d+\.log$/.test(name))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

interface Batch {
  readonly offset: number;
  readonly sequence: bigint;
  readonly count: number;
}

/** The intact batches of one log: those that LevelDB itself would replay. */
function* batchesOf(bytes: Uint8Array): Generator<Batch> {
  let open: { readonly offset: number; readonly head: number[] } | undefined;
  for (const fragment of fragmentsOf(bytes)) {
    if (fragment === 'damaged') {
      open = undefined;
      continue;
    }
    const { at, length, type } = fragment;
    if (type === TYPE.full || type === TYPE.first) open = { offset: at, head: [] };
    if (open === undefined) continue;
    // At the end of a block the head itself may be split.
    const missing = Math.min(length, BATCH_HEAD_BYTES - open.head.length);
    open.head.push(...bytes.subarray(at, at + missing));
    if (type !== TYPE.full && type !== TYPE.last) continue;
    if (open.head.length === BATCH_HEAD_BYTES) yield batchOf(open.offset, open.head);
    open = undefined;
  }
}

function batchOf(offset: number, head: readonly number[]): Batch {
  const view = new DataView(Uint8Array.from(head).buffer);
  return { offset, sequence: view.getBigUint64(0, true), count: view.getUint32(8, true) };
}
