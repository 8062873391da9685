import type { ShardPosition } from '@memgrid/protocol';
import type { Lookup, StoredEntry } from './entry-table.ts';
import { compareKey, hashKey, hashKeyBytes, isWide, readKey, writeKey } from './key-bytes.ts';
import { FIELD, RecordColumns } from './record-columns.ts';
import type { IndexedRecords } from './record-index.ts';
import { Slabs } from './slabs.ts';
import type { Slab } from './slabs.ts';

export interface RecordHeapOptions {
  /** States on disk are dropped above it. */
  readonly bytesMax: number;
  readonly slabBytes: number;
  /** What is needed to find the records; counts towards the bound. */
  readonly indexBytes: () => number;
  /** Of the hashes of keys: a number of 32 bits. */
  readonly seed: number;
}

/** In the upper half of `FIELD.key`, below the bits of the hash. */
const FLAG = {
  /** Two bytes a code unit. */
  wide: 1 << 16,
  /** The state can be read back from disk. */
  onDisk: 1 << 17,
  /** The state is only on disk. */
  paged: 1 << 18,
  /** Read since the sweep came by last. */
  used: 1 << 19,
} as const;

/** Of `FIELD.key`: what stays with a record whatever becomes of its state. */
const HASH_SHIFT = 20;
const OF_KEY = 0xffff | FLAG.wide | (-1 << HASH_SHIFT);

/** No record begins there: offsets are multiples of 4. */
const NOWHERE = 0xffff_ffff;

/** In front of every record: its number and its size, so that a slab can be walked. */
const HEAD_BYTES = 8;

/** Beyond this share of waste, slabs are emptied; it costs at most four moved bytes for each. */
const WASTE_MAX = 0.2;

/** With less than this share to drop, a sweep would only carry keys from slab to slab. */
const DROPPABLE_MIN = 0.05;

/** Work of one call: enough to keep up with whoever fills the slabs, and far below a millisecond. */
const TIDY_BYTES_MIN = 4 * 1024;
const TIDY_BYTES_MAX = 128 * 1024;
const TIDY_FACTOR = 8;

const NOTHING: StoredEntry = { at: { epoch: 0, index: 0 }, state: new Uint8Array(0) };

interface Sweep {
  readonly slab: Slab;
  /** Where the next record to look at begins. */
  at: number;
  /** Whether states that are on disk and were not used are dropped on the way. */
  readonly dropping: boolean;
}

/**
 * Keys and states of any number of records in a few large buffers.
 *
 * A record is written once and never changed: a new state is a new record under the same number.
 * What is left behind is waste, and a sweep empties one slab after the other by moving what is
 * still needed, a few kilobytes with every call. Above the bound the sweep takes the oldest slab
 * and drops the states that can be dropped; a record that was read meanwhile gets a second
 * chance (the CLOCK algorithm, with slabs as the hand's steps).
 */
export class RecordHeap implements IndexedRecords {
  readonly #bytesMax: number;
  readonly #indexBytes: () => number;
  readonly #seed: number;
  readonly #columns = new RecordColumns();
  readonly #slabs: Slabs;
  #sweep: Sweep | undefined;
  #pagedCount = 0;
  /** Bytes of states that are in memory and on disk. */
  #droppableBytes = 0;

  constructor(options: RecordHeapOptions) {
    this.#bytesMax = options.bytesMax;
    this.#indexBytes = options.indexBytes;
    this.#seed = options.seed;
    this.#slabs = new Slabs(options.slabBytes);
  }

  get memoryBytes(): number {
    return this.#neededBytes + this.#slabs.spareBytes;
  }

  get pagedCount(): number {
    return this.#pagedCount;
  }

  compare(record: number, key: string): number {
    const keyField = this.#columns.get(record, FIELD.key);
    const { bytes } = this.#slabOf(record);
    const at = this.#columns.get(record, FIELD.offset) + HEAD_BYTES;
    return compareKey(bytes, at, keyField & 0xffff, (keyField & FLAG.wide) !== 0, key);
  }

  hashOf(key: string): number {
    return hashKey(key, this.#seed);
  }

  hash(record: number): number {
    const keyField = this.#columns.get(record, FIELD.key);
    const at = this.#columns.get(record, FIELD.offset) + HEAD_BYTES;
    const isWideKey = (keyField & FLAG.wide) !== 0;
    return hashKeyBytes(this.#slabOf(record).bytes, at, keyField & 0xffff, isWideKey, this.#seed);
  }

  is(record: number, key: string, hash: number): boolean {
    const keyField = this.#columns.get(record, FIELD.key);
    // Nearly always enough to tell two keys apart, without a look at the slab.
    if ((keyField ^ hash) >>> HASH_SHIFT !== 0 || (keyField & 0xffff) !== key.length) return false;
    return this.compare(record, key) === 0;
  }

  next(record: number): number {
    return this.#columns.get(record, FIELD.next);
  }

  setNext(record: number, next: number): void {
    this.#columns.set(record, FIELD.next, next);
  }

  key(record: number): string {
    const keyField = this.#columns.get(record, FIELD.key);
    const { bytes } = this.#slabOf(record);
    const at = this.#columns.get(record, FIELD.offset) + HEAD_BYTES;
    return readKey(bytes, at, keyField & 0xffff, (keyField & FLAG.wide) !== 0);
  }

  /** With a copy of the state: the slab is used again when nobody can know who still holds a view. */
  read(record: number): Lookup {
    const seen = this.view(record);
    return seen === 'paged' || seen === 'absent'
      ? seen
      : { at: seen.at, state: seen.state.slice() };
  }

  /** With a view of the state, which stays as it is until anything is written or removed. */
  view(record: number): Lookup {
    const keyField = this.#columns.get(record, FIELD.key);
    if ((keyField & FLAG.paged) !== 0) return 'paged';
    this.#columns.set(record, FIELD.key, keyField | FLAG.used);
    const begin = this.#columns.get(record, FIELD.offset) + HEAD_BYTES + keyBytesOf(keyField);
    const end = begin + this.#columns.get(record, FIELD.stateBytes);
    return { at: this.position(record), state: this.#slabOf(record).bytes.subarray(begin, end) };
  }

  position(record: number): ShardPosition {
    const columns = this.#columns;
    const index = columns.get(record, FIELD.indexHigh) * 2 ** 32;
    return {
      epoch: columns.get(record, FIELD.epoch),
      index: index + columns.get(record, FIELD.indexLow),
    };
  }

  isPaged(record: number): boolean {
    return (this.#columns.get(record, FIELD.key) & FLAG.paged) !== 0;
  }

  stateBytes(record: number): number {
    return this.#columns.get(record, FIELD.stateBytes);
  }

  /** @returns the number of a new record. */
  add(key: string, entry: StoredEntry, onDisk: boolean): number {
    const record = this.#columns.take();
    const wide = isWide(key);
    const flags = (wide ? FLAG.wide : 0) | (onDisk ? FLAG.onDisk : 0);
    const keyField = key.length | flags | ((this.hashOf(key) >>> HASH_SHIFT) << HASH_SHIFT);
    this.#columns.set(record, FIELD.key, keyField);
    const slab = this.#place(record, keyBytesOf(keyField) + entry.state.byteLength);
    const at = this.#columns.get(record, FIELD.offset) + HEAD_BYTES;
    writeKey(key, wide, slab.bytes, at);
    slab.bytes.set(entry.state, at + keyBytesOf(keyField));
    this.#describe(record, entry);
    if (onDisk) this.#droppableBytes += entry.state.byteLength;
    return record;
  }

  /** A new record whose state is only on disk, at a position before every other. */
  addPaged(key: string): number {
    const record = this.add(key, NOTHING, false);
    const keyField = this.#columns.get(record, FIELD.key);
    this.#columns.set(record, FIELD.key, keyField | FLAG.onDisk | FLAG.paged);
    this.#pagedCount += 1;
    return record;
  }

  /** Gives a record another state; it keeps its number and its key. */
  replace(record: number, entry: StoredEntry, onDisk: boolean): void {
    this.#forgetState(record);
    const from = this.#slabOf(record);
    const fromAt = this.#columns.get(record, FIELD.offset);
    const kept = this.#columns.get(record, FIELD.key) & OF_KEY;
    const keyBytes = keyBytesOf(kept);
    const to = this.#place(record, keyBytes + entry.state.byteLength);
    const at = this.#columns.get(record, FIELD.offset) + HEAD_BYTES;
    to.bytes.set(from.bytes.subarray(fromAt + HEAD_BYTES, fromAt + HEAD_BYTES + keyBytes), at);
    to.bytes.set(entry.state, at + keyBytes);
    this.#columns.set(record, FIELD.key, kept | (onDisk ? FLAG.onDisk : 0));
    this.#describe(record, entry);
    if (onDisk) this.#droppableBytes += entry.state.byteLength;
    this.#release(from, fromAt);
  }

  /** The state of the record can be read back from disk. */
  markOnDisk(record: number): void {
    const keyField = this.#columns.get(record, FIELD.key);
    if ((keyField & FLAG.onDisk) !== 0) return;
    this.#columns.set(record, FIELD.key, keyField | FLAG.onDisk);
    this.#droppableBytes += this.stateBytes(record);
  }

  remove(record: number): void {
    this.#forgetState(record);
    const slab = this.#slabOf(record);
    const at = this.#columns.get(record, FIELD.offset);
    this.#columns.free(record);
    // What a sweep finds there must not look current, whatever the row is used for meanwhile.
    this.#columns.set(record, FIELD.offset, NOWHERE);
    this.#release(slab, at);
  }

  /**
   * Reclaims some memory if there is too much waste or too little room. Bounded by the bytes that
   * were just written, so that no caller pays for all the others at once.
   */
  tidy(writtenBytes: number): void {
    let budget = TIDY_BYTES_MIN + TIDY_FACTOR * writtenBytes;
    if (budget > TIDY_BYTES_MAX) budget = TIDY_BYTES_MAX;
    while (budget > 0) {
      this.#sweep ??= this.#nextSweep();
      if (this.#sweep === undefined) return;
      budget -= this.#sweepOne(this.#sweep);
    }
  }

  /** What the bound is compared with: all memory but the slabs that stand ready. */
  get #neededBytes(): number {
    return this.#slabs.heldBytes + this.#columns.bytes + this.#indexBytes();
  }

  #nextSweep(): Sweep | undefined {
    const { heldBytes, wasteBytes, reserveBytes } = this.#slabs;
    if (wasteBytes > WASTE_MAX * heldBytes && wasteBytes > reserveBytes) {
      return sweepOf(this.#slabs.emptiest(), false);
    }
    if (this.#neededBytes + reserveBytes <= this.#bytesMax) return undefined;
    if (this.#droppableBytes < DROPPABLE_MIN * heldBytes) return undefined;
    return sweepOf(this.#slabs.oldest(), true);
  }

  /** Looks at one record. @returns what that cost, in bytes. */
  #sweepOne(sweep: Sweep): number {
    const { slab, at } = sweep;
    const record = slab.words[at >>> 2] as number;
    const size = slab.words[(at >>> 2) + 1] as number;
    sweep.at += size;
    if (sweep.at >= slab.used) this.#sweep = undefined;
    // What was replaced or removed since has its place elsewhere, or none.
    const isCurrent =
      this.#columns.get(record, FIELD.slab) === slab.number &&
      this.#columns.get(record, FIELD.offset) === at;
    if (!isCurrent) return size;
    if (sweep.dropping && this.#mayDrop(record)) this.#drop(record);
    else if (slab.alone) this.#slabs.renew(slab);
    else this.#move(record, size);
    return size;
  }

  #mayDrop(record: number): boolean {
    const keyField = this.#columns.get(record, FIELD.key);
    this.#columns.set(record, FIELD.key, keyField & ~FLAG.used);
    const flags = keyField & (FLAG.onDisk | FLAG.paged | FLAG.used);
    return flags === FLAG.onDisk && this.stateBytes(record) > 0;
  }

  /** Only the key stays, as a record of its own. */
  #drop(record: number): void {
    this.#forgetState(record);
    const from = this.#slabOf(record);
    const fromAt = this.#columns.get(record, FIELD.offset);
    const keyField = this.#columns.get(record, FIELD.key);
    const begin = fromAt + HEAD_BYTES;
    const to = this.#place(record, keyBytesOf(keyField));
    const at = this.#columns.get(record, FIELD.offset) + HEAD_BYTES;
    to.bytes.set(from.bytes.subarray(begin, begin + keyBytesOf(keyField)), at);
    this.#columns.set(record, FIELD.key, keyField | FLAG.paged);
    this.#pagedCount += 1;
    this.#release(from, fromAt);
  }

  #move(record: number, size: number): void {
    const from = this.#slabOf(record);
    const fromAt = this.#columns.get(record, FIELD.offset);
    const to = this.#place(record, size - HEAD_BYTES);
    const at = this.#columns.get(record, FIELD.offset);
    to.bytes.set(from.bytes.subarray(fromAt + HEAD_BYTES, fromAt + size), at + HEAD_BYTES);
    this.#release(from, fromAt);
  }

  /** Takes room for a record and notes where it is. Key and state are still to be written. */
  #place(record: number, bytes: number): Slab {
    const size = (HEAD_BYTES + bytes + 3) & ~3;
    const slab = this.#slabs.allocate(size);
    const at = slab.used - size;
    slab.words[at >>> 2] = record;
    slab.words[(at >>> 2) + 1] = size;
    this.#columns.set(record, FIELD.slab, slab.number);
    this.#columns.set(record, FIELD.offset, at);
    return slab;
  }

  #release(slab: Slab, at: number): void {
    const isGone = this.#slabs.release(slab, slab.words[(at >>> 2) + 1] as number);
    if (isGone && this.#sweep?.slab === slab) this.#sweep = undefined;
  }

  /** The counts no longer contain the present state of the record. */
  #forgetState(record: number): void {
    const keyField = this.#columns.get(record, FIELD.key);
    if ((keyField & FLAG.paged) !== 0) this.#pagedCount -= 1;
    else if ((keyField & FLAG.onDisk) !== 0) this.#droppableBytes -= this.stateBytes(record);
  }

  #describe(record: number, { at, state }: StoredEntry): void {
    this.#columns.set(record, FIELD.stateBytes, state.byteLength);
    this.#columns.set(record, FIELD.epoch, at.epoch);
    this.#columns.set(record, FIELD.indexHigh, Math.floor(at.index / 2 ** 32));
    this.#columns.set(record, FIELD.indexLow, at.index % 2 ** 32);
  }

  #slabOf(record: number): Slab {
    return this.#slabs.at(this.#columns.get(record, FIELD.slab));
  }
}

function sweepOf(slab: Slab | undefined, dropping: boolean): Sweep | undefined {
  return slab === undefined ? undefined : { slab, at: 0, dropping };
}

function keyBytesOf(keyField: number): number {
  const units = keyField & 0xffff;
  return (keyField & FLAG.wide) === 0 ? units : 2 * units;
}
