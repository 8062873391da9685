import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ByteReader } from './byte-reader.ts';
import { crc32c, unmasked } from './crc32c.ts';
import { readManifest } from './level-manifest.ts';
import { unpackSnappy } from './snappy.ts';

/** A part of a table, or a whole manifest, whose bytes are not those that LevelDB wrote. */
export interface TableDamage {
  readonly file: string;
  readonly offset: number;
  /**
   * What the damaged block seems to hold; undefined when that can not be told, or when it is one
   * that tells where the others are.
   */
  readonly rows: readonly TableRow[] | undefined;
}

/** As LevelDB would read it. A deletion has an empty value. */
export interface TableRow {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Behind every block: how it is packed, and the masked checksum of both. */
const TRAILER_BYTES = 5;
const PACKED_BY_SNAPPY = 1;

/** At the end of every table: where its two index blocks are, and a constant. */
const FOOTER_BYTES = 48;
const MAGIC_BYTES = 8;
const MAGIC = 0xdb4775248b80fb57n;

/** Behind every key in a table: its kind in the first byte, its sequence number in seven. */
const KEY_TAIL_BYTES = 8;
const DELETION = 0;

/**
 * Checks every table of a database, before it is opened.
 *
 * LevelDB wrote a checksum behind every block but does not look at it when it reads, and its
 * binding has no way to ask for that. A flipped bit in an index hides a block without a word, one
 * in a key hides an older state of the same record behind nothing: what a record's own seal can
 * not show, because the record is not found.
 */
export async function damagedTables(databaseDirectory: string): Promise<readonly TableDamage[]> {
  const manifest = await readManifest(databaseDirectory);
  if (manifest === undefined) return [];
  if ('unreadable' in manifest) return [{ file: manifest.unreadable, offset: 0, rows: undefined }];
  const damages: TableDamage[] = [];
  for (const file of await readdir(databaseDirectory)) {
    const number = /^(\d+)\.(ldb|sst)$/.exec(file)?.[1];
    if (number === undefined || !manifest.tables.has(Number.parseInt(number, 10))) continue;
    const damagesHere = await damagesIn(path.join(databaseDirectory, file), manifest.lastSequence);
    damages.push(...damagesHere.map((damage) => ({ file, ...damage })));
  }
  return damages;
}

async function damagesIn(
  table: string,
  lastSequence: number,
): Promise<readonly Omit<TableDamage, 'file'>[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(table);
  } catch (error) {
    // Another process is at work here: opening the database will say so.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    return [...damagedBlocks(bytes, lastSequence)];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [{ offset: 0, rows: undefined }];
  }
}

interface Place {
  readonly offset: number;
  readonly size: number;
}

/** @throws RangeError when the table makes no sense at all. */
function* damagedBlocks(
  bytes: Uint8Array,
  lastSequence: number,
): Generator<Omit<TableDamage, 'file'>> {
  const footer = bytes.byteLength - FOOTER_BYTES;
  if (footer < 0) throw new RangeError('The table is too short.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getBigUint64(bytes.byteLength - MAGIC_BYTES, true) !== MAGIC) {
    throw new RangeError('The table does not end as tables do.');
  }
  const reader = new ByteReader(bytes, footer);
  const meta = placeFrom(reader);
  const index = placeFrom(reader);
  for (const place of [meta, index]) {
    if (!isIntact(bytes, place)) yield { offset: place.offset, rows: undefined };
  }
  if (!isIntact(bytes, index)) return;
  let after: Uint8Array = new Uint8Array(0);
  for (const { key: upTo, value } of rowsOf(blockAt(bytes, index))) {
    const place = placeFrom(new ByteReader(value));
    if (!isIntact(bytes, place)) {
      yield {
        offset: place.offset,
        rows: seemingRows(bytes, place, { after, upTo, lastSequence }),
      };
    }
    after = upTo;
  }
}

interface Bounds {
  /** The index says that all keys of the block are between these. */
  readonly after: Uint8Array;
  readonly upTo: Uint8Array;
  readonly lastSequence: number;
}

/**
 * The rows of a damaged block, if LevelDB would show all of them. It passes over those that are not
 * in order, that have become deletions, or that seem to be from the future.
 */
function seemingRows(
  bytes: Uint8Array,
  place: Place,
  bounds: Bounds,
): readonly TableRow[] | undefined {
  const rows: TableRow[] = [];
  let { after } = bounds;
  try {
    for (const { key, tail, value } of rowsOf(blockAt(bytes, place))) {
      const isInOrder = Buffer.compare(after, key) < 0 && Buffer.compare(key, bounds.upTo) <= 0;
      const isOfKind = (tail[0] === DELETION) === (value.byteLength === 0);
      if (!isInOrder || !isOfKind || sequenceOf(tail) > bounds.lastSequence) return undefined;
      after = key;
      rows.push({ key: Buffer.from(key).toString('utf8'), value });
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return rows;
}

function placeFrom(reader: ByteReader): Place {
  return { offset: reader.varint(), size: reader.varint() };
}

function isIntact(bytes: Uint8Array, { offset, size }: Place): boolean {
  const end = offset + size;
  if (end + TRAILER_BYTES > bytes.byteLength) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return crc32c(bytes, offset, end + 1) === unmasked(view.getUint32(end + 1, true));
}

function blockAt(bytes: Uint8Array, { offset, size }: Place): Uint8Array {
  const block = bytes.subarray(offset, offset + size);
  return bytes[offset + size] === PACKED_BY_SNAPPY ? unpackSnappy(block) : block;
}

function sequenceOf(tail: Uint8Array): number {
  let sequence = 0;
  for (let i = KEY_TAIL_BYTES - 1; i >= 1; i -= 1) sequence = sequence * 256 + (tail[i] ?? 0);
  return sequence;
}

interface RawRow {
  readonly key: Uint8Array;
  readonly tail: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * The rows of a block, whose keys leave out what they share with the one before.
 *
 * @throws RangeError for bytes that are no block.
 */
function* rowsOf(block: Uint8Array): Generator<RawRow> {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const restarts = view.getUint32(block.byteLength - 4, true);
  const end = block.byteLength - 4 * (restarts + 1);
  if (end < 0) throw new RangeError('The block has no room for its restarts.');
  const reader = new ByteReader(block.subarray(0, end));
  let whole: Uint8Array = new Uint8Array(0);
  while (!reader.isAtEnd) {
    const shared = reader.varint();
    const own = reader.varint();
    const valueBytes = reader.varint();
    if (shared > whole.byteLength) throw new RangeError('A key shares more than there is.');
    whole = Buffer.concat([whole.subarray(0, shared), reader.take(own)]);
    const key = whole.subarray(0, -KEY_TAIL_BYTES);
    yield { key, tail: whole.subarray(-KEY_TAIL_BYTES), value: reader.take(valueBytes) };
  }
}
