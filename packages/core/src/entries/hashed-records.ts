/** What a hash index knows records by. */
export interface RecordHashes {
  /** `hashKey` of the record's key. */
  hash(record: number): number;
  /** Whether it has this key, of which `hash` is the hash. */
  is(record: number, key: string, hash: number): boolean;
  /** The record behind it in its chain; 0 for none. */
  next(record: number): number;
  setNext(record: number, next: number): void;
}

const BUCKETS_MIN = 8;
/** Records a bucket on average: one four-byte word for two records. */
const CHAIN_LENGTH = 2;
/** The array of buckets grows by this share; that copies it, and no record is looked at. */
const GROWTH = 0.25;
/** With so few of the buckets needed, half of the array is given back. */
const NEEDED_MIN = 0.25;
/** An object and its array, roughly. */
const OVERHEAD_BYTES = 200;

/** Longer chains than this do not come about by chance: whoever is asked has another way. */
const STEPS_MAX = 16;

/**
 * The records of one slot by a hash of their keys: chains, which the records themselves hold.
 *
 * It grows and shrinks by one bucket at a time (linear hashing; Litwin 1980), so no call pays for
 * all the others. Clients choose keys, and some may find many that meet in one chain: a search ends
 * after a few steps and says so. Only a removal walks all of such a chain, and a bucket that splits.
 */
export class HashedRecords {
  readonly #hashes: RecordHashes;
  /** The first record of each chain. */
  #buckets = new Uint32Array(BUCKETS_MIN);
  /** Of them in use, from the front. */
  #bucketCount = BUCKETS_MIN;
  /** The greatest power of two that is no greater than `#bucketCount`. */
  #level = BUCKETS_MIN;
  #count = 0;

  constructor(hashes: RecordHashes) {
    this.#hashes = hashes;
  }

  /** What the index itself takes; the chains are in the records. */
  get memoryBytes(): number {
    return OVERHEAD_BYTES + this.#buckets.byteLength;
  }

  /** The record with this key; 0 when there is none, undefined when the chain is too long to tell. */
  find(key: string, hash: number): number | undefined {
    const hashes = this.#hashes;
    let record = this.#buckets[this.#bucketOf(hash)] as number;
    for (let step = 0; record !== 0; step += 1) {
      if (step === STEPS_MAX) return undefined;
      if (hashes.is(record, key, hash)) return record;
      record = hashes.next(record);
    }
    return 0;
  }

  /** @param record is not in it yet. */
  add(record: number, hash: number): void {
    this.#push(this.#bucketOf(hash), record);
    this.#count += 1;
    if (this.#count > CHAIN_LENGTH * this.#bucketCount) this.#split();
  }

  /** @param record is in it. */
  remove(record: number, hash: number): void {
    const hashes = this.#hashes;
    const bucket = this.#bucketOf(hash);
    const next = hashes.next(record);
    let before = this.#buckets[bucket] as number;
    if (before === record) {
      this.#buckets[bucket] = next;
    } else {
      while (hashes.next(before) !== record) before = hashes.next(before);
      hashes.setNext(before, next);
    }
    this.#count -= 1;
    const isRoomy = CHAIN_LENGTH * (this.#bucketCount - 1) > 2 * this.#count;
    if (isRoomy && this.#bucketCount > BUCKETS_MIN) this.#join();
  }

  #bucketOf(hash: number): number {
    const bucket = hash & (2 * this.#level - 1);
    return bucket < this.#bucketCount ? bucket : bucket - this.#level;
  }

  #push(bucket: number, record: number): void {
    this.#hashes.setNext(record, this.#buckets[bucket] as number);
    this.#buckets[bucket] = record;
  }

  /** One bucket more: it takes its share of the one whose hashes differ in one bit. */
  #split(): void {
    if (this.#bucketCount === this.#buckets.length) {
      this.#resize(Math.ceil(this.#bucketCount * (1 + GROWTH)));
    }
    const source = this.#bucketCount - this.#level;
    let record = this.#buckets[source] as number;
    this.#buckets[source] = 0;
    this.#buckets[this.#bucketCount] = 0;
    this.#bucketCount += 1;
    while (record !== 0) {
      const next = this.#hashes.next(record);
      this.#push(this.#bucketOf(this.#hashes.hash(record)), record);
      record = next;
    }
    if (this.#bucketCount === 2 * this.#level) this.#level *= 2;
  }

  /** One bucket less: what is in the last one goes back to where it came from. */
  #join(): void {
    this.#bucketCount -= 1;
    if (this.#bucketCount < this.#level) this.#level /= 2;
    let record = this.#buckets[this.#bucketCount] as number;
    while (record !== 0) {
      const next = this.#hashes.next(record);
      this.#push(this.#bucketCount - this.#level, record);
      record = next;
    }
    if (this.#bucketCount < NEEDED_MIN * this.#buckets.length) {
      this.#resize(Math.ceil(this.#buckets.length / 2));
    }
  }

  #resize(length: number): void {
    const buckets = new Uint32Array(length);
    buckets.set(this.#buckets.subarray(0, this.#bucketCount));
    this.#buckets = buckets;
  }
}
