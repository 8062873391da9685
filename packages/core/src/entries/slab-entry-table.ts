import type { ShardId, ShardPosition } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { EntryTable, Lookup, StoredEntry } from './entry-table.ts';
import { RecordHeap } from './record-heap.ts';
import { RecordIndex } from './record-index.ts';

export interface SlabEntryTableOptions {
  /**
   * What keys, states and their index may take in memory. More keeps more values out of reach of
   * the disk's latency. Without limit when absent.
   */
  readonly bytesMax?: number;
  /**
   * Size of one slab; a power of two. Larger slabs are fewer, but more stays reserved: two are
   * kept ready. 1 MiB when absent.
   */
  readonly slabBytes?: number;
  /**
   * A random number of 32 bits, so that nobody knows which keys are slow to find together. Always
   * the same when absent.
   */
  readonly seed?: number;
}

interface Slot {
  readonly records: RecordIndex;
  bytes: number;
}

const SLAB_BYTES = 1024 * 1024;
/** The offset basis of FNV-1a (Fowler, Noll, Vo, 1991). */
const SEED = 0x811c9dc5;
const SLOTS_PER_SHARD = 16;
const KEY_UNITS_MAX = 0xffff;

/**
 * The entry table of a node: keys and values as bytes in a few large buffers, found by a hash of the
 * key and listed in order.
 *
 * A million entries are about five hundred objects to the garbage collector, whose pauses
 * therefore do not grow with the data; the numbers are in decision 8. Every call takes time in
 * the order of its own size and the logarithm of the shard, also when memory runs out: there is
 * no call that pays for all the others.
 */
export class SlabEntryTable implements EntryTable {
  readonly #heap: RecordHeap;
  readonly #slots = new Map<number, Slot>();
  #indexBytes = 0;

  constructor(options: SlabEntryTableOptions = {}) {
    this.#heap = new RecordHeap({
      bytesMax: options.bytesMax ?? Number.POSITIVE_INFINITY,
      slabBytes: options.slabBytes ?? SLAB_BYTES,
      indexBytes: () => this.#indexBytes,
      seed: options.seed ?? SEED,
    });
  }

  get memoryBytes(): number {
    return this.#heap.memoryBytes;
  }

  get pagedCount(): number {
    return this.#heap.pagedCount;
  }

  get(shard: ShardId, slot: number, key: string): Lookup {
    const record = this.#find(shard, slot, key);
    return record === 0 ? 'absent' : this.#heap.read(record);
  }

  look(shard: ShardId, slot: number, key: string): Lookup {
    const record = this.#find(shard, slot, key);
    return record === 0 ? 'absent' : this.#heap.view(record);
  }

  put(shard: ShardId, slot: number, key: string, entry: StoredEntry, onDisk: boolean): void {
    if (key.length > KEY_UNITS_MAX) {
      invariant(false, `A key has ${key.length} code units; ${KEY_UNITS_MAX} fit.`);
    }
    const into = this.#slotOf(shard, slot);
    const record = into.records.find(key);
    if (record === 0) {
      this.#insert(into, this.#heap.add(key, entry, onDisk), key);
      into.bytes += entry.state.byteLength;
    } else {
      into.bytes += entry.state.byteLength - this.#heap.stateBytes(record);
      this.#heap.replace(record, entry, onDisk);
    }
    this.#heap.tidy(key.length + entry.state.byteLength);
  }

  putUnread(shard: ShardId, slot: number, key: string): void {
    const into = this.#slotOf(shard, slot);
    if (into.records.find(key) === 0) this.#insert(into, this.#heap.addPaged(key), key);
  }

  flushed(shard: ShardId, slot: number, key: string, at: ShardPosition): void {
    const record = this.#find(shard, slot, key);
    if (record === 0 || this.#heap.isPaged(record)) return;
    const position = this.#heap.position(record);
    if (position.epoch !== at.epoch || position.index !== at.index) return;
    this.#heap.markOnDisk(record);
    this.#heap.tidy(this.#heap.stateBytes(record));
  }

  restore(shard: ShardId, slot: number, key: string, entry: StoredEntry): boolean {
    const into = this.#slots.get(nameOf(shard, slot));
    const record = into?.records.find(key) ?? 0;
    if (into === undefined || record === 0) return true;
    const { epoch, index } = this.#heap.position(record);
    if (entry.at.epoch < epoch || (entry.at.epoch === epoch && entry.at.index < index))
      return false;
    if (!this.#heap.isPaged(record)) return true;
    into.bytes += entry.state.byteLength - this.#heap.stateBytes(record);
    this.#heap.replace(record, entry, true);
    this.#heap.tidy(entry.state.byteLength);
    return true;
  }

  delete(shard: ShardId, slot: number, key: string): void {
    const from = this.#slots.get(nameOf(shard, slot));
    if (from === undefined) return;
    const indexBytes = from.records.memoryBytes;
    const record = from.records.remove(key);
    if (record === 0) return;
    this.#indexBytes += from.records.memoryBytes - indexBytes;
    const stateBytes = this.#heap.stateBytes(record);
    from.bytes -= key.length + stateBytes;
    this.#heap.remove(record);
    this.#heap.tidy(stateBytes);
  }

  keys(shard: ShardId, slot: number, after: string, limit: number): readonly string[] {
    const records = this.#slots.get(nameOf(shard, slot))?.records.after(after, limit) ?? [];
    return records.map((record) => this.#heap.key(record));
  }

  count(shard: ShardId, slot: number): number {
    return this.#slots.get(nameOf(shard, slot))?.records.count ?? 0;
  }

  bytes(shard: ShardId, slot: number): number {
    return this.#slots.get(nameOf(shard, slot))?.bytes ?? 0;
  }

  clear(shard: ShardId, slot: number): void {
    const name = nameOf(shard, slot);
    const gone = this.#slots.get(name);
    if (gone === undefined) return;
    for (const record of gone.records) this.#heap.remove(record);
    this.#indexBytes -= gone.records.memoryBytes;
    this.#slots.delete(name);
  }

  #insert(into: Slot, record: number, key: string): void {
    const indexBytes = into.records.memoryBytes;
    into.records.insert(record, key);
    this.#indexBytes += into.records.memoryBytes - indexBytes;
    into.bytes += key.length;
  }

  #find(shard: ShardId, slot: number, key: string): number {
    return this.#slots.get(nameOf(shard, slot))?.records.find(key) ?? 0;
  }

  #slotOf(shard: ShardId, slot: number): Slot {
    const name = nameOf(shard, slot);
    let found = this.#slots.get(name);
    if (found === undefined) {
      found = { records: new RecordIndex(this.#heap), bytes: 0 };
      this.#slots.set(name, found);
      this.#indexBytes += found.records.memoryBytes;
    }
    return found;
  }
}

function nameOf(shard: ShardId, slot: number): number {
  if (slot < 0 || slot >= SLOTS_PER_SHARD) invariant(false, `No such slot: ${slot}.`);
  return shard * SLOTS_PER_SHARD + slot;
}
