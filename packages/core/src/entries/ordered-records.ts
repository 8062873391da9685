import { invariant } from '../assert.ts';

/** What puts records into order: by their keys. */
export interface RecordOrder {
  /** Negative when the record's key comes before `key`, 0 when it is the same. */
  compare(record: number, key: string): number;
}

interface Block {
  records: Uint32Array;
  count: number;
}

/** A shard of a dozen entries should not pay for two hundred. */
const BLOCK_MIN = 8;
const BLOCK_MAX = 256;
/** An object, an array and their buffer, roughly. */
const BLOCK_OVERHEAD_BYTES = 200;

/**
 * The records of one slot in order of their keys: blocks of at most 256, found by halving twice.
 * Nothing takes longer than one block.
 */
export class OrderedRecords {
  readonly #order: RecordOrder;
  readonly #blocks: Block[] = [];
  #count = 0;
  #memoryBytes = 0;
  /** Where the last search ended: block, and index within it. */
  #block = 0;
  #index = 0;

  constructor(order: RecordOrder) {
    this.#order = order;
  }

  get count(): number {
    return this.#count;
  }

  /** What the index itself takes. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** The record with this key; 0 when there is none. */
  find(key: string): number {
    if (!this.#seek(key)) return 0;
    return this.#blockAt(this.#block).records[this.#index] as number;
  }

  /** @param record has `key`, which no other record here has. */
  insert(record: number, key: string): void {
    const found = this.#seek(key);
    invariant(!found, 'The key is in the index already.');
    this.#count += 1;
    if (this.#blocks.length === 0) this.#blocks.push(this.#newBlock(BLOCK_MIN));
    if (this.#blockAt(this.#block).count === BLOCK_MAX) this.#split();
    const block = this.#blockAt(this.#block);
    if (block.count === block.records.length) this.#grow(block);
    block.records.copyWithin(this.#index + 1, this.#index, block.count);
    block.records[this.#index] = record;
    block.count += 1;
  }

  /** @returns the record that was removed; 0 when there is none with this key. */
  remove(key: string): number {
    if (!this.#seek(key)) return 0;
    const block = this.#blockAt(this.#block);
    const record = block.records[this.#index] as number;
    block.records.copyWithin(this.#index, this.#index + 1, block.count);
    block.count -= 1;
    this.#count -= 1;
    this.#mergeAround();
    return record;
  }

  /** Up to `limit` records whose keys come after `key`, in order. */
  after(key: string, limit: number): number[] {
    const records: number[] = [];
    if (this.#seek(key)) this.#index += 1;
    for (let at = this.#block; at < this.#blocks.length && records.length < limit; at += 1) {
      const block = this.#blockAt(at);
      const begin = at === this.#block ? this.#index : 0;
      const end = Math.min(block.count, begin + limit - records.length);
      for (let i = begin; i < end; i += 1) records.push(block.records[i] as number);
    }
    return records;
  }

  /** All records, in order. The index must not change meanwhile. */
  *[Symbol.iterator](): Generator<number> {
    for (const block of this.#blocks) {
      for (let i = 0; i < block.count; i += 1) yield block.records[i] as number;
    }
  }

  /** Goes to the key, or to where it belongs. @returns whether it is there. */
  #seek(key: string): boolean {
    this.#block = this.#blockOf(key);
    this.#index = 0;
    const block = this.#blocks[this.#block];
    if (block === undefined) return false;
    let low = 0;
    let high = block.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const difference = this.#order.compare(block.records[middle] as number, key);
      if (difference === 0) {
        this.#index = middle;
        return true;
      }
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    this.#index = low;
    return false;
  }

  /** The last block that begins at or before the key; the first when all begin after it. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#order.compare(this.#blockAt(middle).records[0] as number, key) <= 0) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Makes room where the search ended. Keys that come in order leave full blocks behind. */
  #split(): void {
    const block = this.#blockAt(this.#block);
    const isAtEnd = this.#index === block.count;
    const half = isAtEnd ? block.count : block.count >>> 1;
    const second = this.#newBlock(BLOCK_MAX);
    second.records.set(block.records.subarray(half, block.count));
    second.count = block.count - half;
    block.count = half;
    this.#blocks.splice(this.#block + 1, 0, second);
    if (this.#index >= half) {
      this.#block += 1;
      this.#index -= half;
    }
  }

  /** Joins the block with a neighbour when both are nearly empty. */
  #mergeAround(): void {
    if (this.#blockAt(this.#block).count === 0) this.#drop(this.#block);
    else if (!this.#mergeWithNext(this.#block)) this.#mergeWithNext(this.#block - 1);
  }

  #mergeWithNext(at: number): boolean {
    const block = this.#blocks[at];
    const next = this.#blocks[at + 1];
    if (block === undefined || next === undefined) return false;
    // Half full at most, so that the next insertion does not split it again.
    if (block.count + next.count > BLOCK_MAX / 2) return false;
    while (block.count + next.count > block.records.length) this.#grow(block);
    block.records.set(next.records.subarray(0, next.count), block.count);
    block.count += next.count;
    this.#drop(at + 1);
    return true;
  }

  #drop(at: number): void {
    const [block] = this.#blocks.splice(at, 1);
    if (block !== undefined) this.#memoryBytes -= bytesOf(block.records.length);
  }

  #grow(block: Block): void {
    const records = new Uint32Array(block.records.length * 2);
    records.set(block.records);
    this.#memoryBytes += bytesOf(records.length) - bytesOf(block.records.length);
    block.records = records;
  }

  #newBlock(size: number): Block {
    this.#memoryBytes += bytesOf(size);
    return { records: new Uint32Array(size), count: 0 };
  }

  #blockAt(at: number): Block {
    return this.#blocks[at] as Block;
  }
}

function bytesOf(size: number): number {
  return BLOCK_OVERHEAD_BYTES + size * Uint32Array.BYTES_PER_ELEMENT;
}
