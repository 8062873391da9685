import { HashedRecords, type RecordHashes } from './hashed-records.ts';
import { OrderedRecords, type RecordOrder } from './ordered-records.ts';

/** What both indexes know records by. */
export interface IndexedRecords extends RecordHashes, RecordOrder {
  hashOf(key: string): number;
}

/**
 * The records of one slot, found by their key and listed in order of their keys.
 *
 * Every read and every write finds a record, by its hash; only new keys and lists need the order.
 * Where the hash would take long, because somebody has chosen keys that meet, the order is asked:
 * nothing takes longer than halving a few times.
 */
export class RecordIndex {
  readonly #records: IndexedRecords;
  readonly #hashed: HashedRecords;
  readonly #ordered: OrderedRecords;

  constructor(records: IndexedRecords) {
    this.#records = records;
    this.#hashed = new HashedRecords(records);
    this.#ordered = new OrderedRecords(records);
  }

  get count(): number {
    return this.#ordered.count;
  }

  /** What the index itself takes. */
  get memoryBytes(): number {
    return this.#hashed.memoryBytes + this.#ordered.memoryBytes;
  }

  /** The record with this key; 0 when there is none. */
  find(key: string): number {
    return this.#hashed.find(key, this.#records.hashOf(key)) ?? this.#ordered.find(key);
  }

  /** @param record has `key`, which no other record here has. */
  insert(record: number, key: string): void {
    this.#ordered.insert(record, key);
    this.#hashed.add(record, this.#records.hash(record));
  }

  /** @returns the record that was removed; 0 when there is none with this key. */
  remove(key: string): number {
    const record = this.#ordered.remove(key);
    if (record !== 0) this.#hashed.remove(record, this.#records.hash(record));
    return record;
  }

  /** Up to `limit` records whose keys come after `key`, in order. */
  after(key: string, limit: number): number[] {
    return this.#ordered.after(key, limit);
  }

  /** All records, in order. The index must not change meanwhile. */
  [Symbol.iterator](): Generator<number> {
    return this.#ordered[Symbol.iterator]();
  }
}
