import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32c, unmasked } from './crc32c.ts';

/**
 * LevelDB's log format: blocks of 32 KiB, in each of them records with a head of seven bytes
 * (masked CRC-32C, length, type); one batch of writes is one record or several in a row.
 */
const BLOCK_BYTES = 32 * 1024;
const HEAD_BYTES = 7;
const TYPE = { full: 1, first: 2, middle: 3, last: 4 } as const;

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
    const bytes = await readFile(path.join(databaseDirectory, file));
    for (const { offset, sequence, count } of batchesOf(bytes)) {
      if (expected !== undefined && sequence !== expected) {
        return { file, offset, missingOperations: Number(sequence - expected) };
      }
      expected = sequence + BigInt(count);
    }
  }
  return undefined;
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

interface Fragment {
  /** Where its content begins. */
  readonly at: number;
  readonly length: number;
  readonly type: number;
}

/** The records of a log, block by block. Behind a damaged one the rest of its block is lost. */
function* fragmentsOf(bytes: Uint8Array): Generator<Fragment | 'damaged'> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let block = 0; block < bytes.byteLength; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, bytes.byteLength);
    let at = block;
    while (at + HEAD_BYTES <= end) {
      const length = view.getUint16(at + 4, true);
      const type = view.getUint8(at + 6);
      const content = at + HEAD_BYTES;
      const isWhole = content + length <= end;
      const isIntact =
        isWhole && crc32c(bytes, at + 6, content + length) === unmasked(view.getUint32(at, true));
      if (!isIntact) {
        yield 'damaged';
        break;
      }
      yield { at: content, length, type };
      at = content + length;
    }
  }
}

function batchOf(offset: number, head: readonly number[]): Batch {
  const view = new DataView(Uint8Array.from(head).buffer);
  return { offset, sequence: view.getBigUint64(0, true), count: view.getUint32(8, true) };
}
