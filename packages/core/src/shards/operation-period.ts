import type { ActorId } from '@memgrid/protocol';
import { ID_WORDS, msOfIdWords, readIdWords } from './operation-id-words.ts';
import type { RememberedOperation } from './remembered-operations.ts';

/** Of one operation: its id, its owner, the place of its actor, its logical clock, its request. */
const WORDS = ID_WORDS + 4;
/** Of one operation: the dot's counter, the version's time, epoch and index of the record. */
const NUMBERS = 4;
const CAPACITY_MIN = 8;
/** Three buffers, their views and this object, as V8 keeps them. Measured, and rounded up. */
const OBJECT_BYTES = 640;

/** One operation as it comes out: the id's words are read only for those that are wanted. */
export interface FoundOperation {
  readonly operationId: string;
  readonly outcome: RememberedOperation;
}

/**
 * The operations whose ids were made within one short period, of all shards of a node.
 *
 * Only ever added to, and given up as a whole: so it needs no objects that a garbage collector
 * would have to walk, and no room for what was taken out. An open-addressed table finds them.
 */
export class OperationPeriod {
  #words: Uint32Array;
  #numbers: Float64Array;
  /** Place and one, by hash; 0 is empty. Its length is a power of two, and a quarter stays empty. */
  #table: Int32Array;
  /** A handful: whoever was the primary of any shard within the period. */
  readonly #actors: ActorId[] = [];
  readonly #seed: number;
  #count = 0;

  /**
   * @param seed a random number of 32 bits, the same for all periods.
   * @param expected operations that will probably come; room for more is made when they do.
   */
  constructor(seed: number, expected = 0) {
    this.#seed = seed;
    const capacity = Math.max(CAPACITY_MIN, expected);
    this.#words = new Uint32Array(capacity * WORDS);
    this.#numbers = new Float64Array(capacity * NUMBERS);
    let places = CAPACITY_MIN * 2;
    while (capacity * 4 > places * 3) places *= 2;
    this.#table = new Int32Array(places);
  }

  get count(): number {
    return this.#count;
  }

  /** What all this takes in memory. */
  get bytes(): number {
    const held = this.#words.byteLength + this.#numbers.byteLength + this.#table.byteLength;
    return OBJECT_BYTES + held;
  }

  /** The place of an operation; -1 when it is not here. */
  find(owner: number, id: Uint32Array): number {
    const table = this.#table;
    for (let slot = this.#slotOf(id, 0); ; slot = (slot + 1) & (table.length - 1)) {
      const place = (table[slot] as number) - 1;
      if (place < 0 || this.#is(place, owner, id)) return place;
    }
  }

  /** Adds an operation that is not here. */
  add(owner: number, id: Uint32Array, outcome: RememberedOperation): void {
    const place = this.#count;
    this.#makeRoom();
    this.#count += 1;
    this.#words.set(id, place * WORDS);
    this.#words[place * WORDS + ID_WORDS] = owner;
    this.set(place, outcome);
    this.#enter(place);
  }

  set(place: number, { version, at, fingerprint }: RememberedOperation): void {
    const { dot, timestamp } = version;
    const word = place * WORDS + ID_WORDS;
    this.#words[word + 1] = this.#placeOf(dot.actor);
    this.#words[word + 2] = timestamp.counter;
    this.#words[word + 3] = fingerprint;
    const number = place * NUMBERS;
    this.#numbers[number] = dot.counter;
    this.#numbers[number + 1] = timestamp.ms;
    this.#numbers[number + 2] = at.epoch;
    this.#numbers[number + 3] = at.index;
  }

  outcomeAt(place: number): RememberedOperation {
    const word = place * WORDS + ID_WORDS;
    const actor = this.#actors[this.#words[word + 1] as number] as ActorId;
    const number = (offset: number): number => this.#numbers[place * NUMBERS + offset] as number;
    const timestamp = { ms: number(1), counter: this.#words[word + 2] as number };
    return {
      version: { dot: { actor, counter: number(0) }, timestamp },
      at: { epoch: number(2), index: number(3) },
      fingerprint: this.#words[word + 3] as number,
    };
  }

  ownerAt(place: number): number {
    return this.#words[place * WORDS + ID_WORDS] as number;
  }

  idAt(place: number): string {
    return readIdWords(this.#words, place * WORDS);
  }

  msAt(place: number): number {
    return msOfIdWords(this.#words, place * WORDS);
  }

  /** The first place from `from` on that is of `owner`; `count` when there is none. */
  nextOf(owner: number, from: number): number {
    let place = from;
    while (place < this.#count && this.ownerAt(place) !== owner) place += 1;
    return place;
  }

  #is(place: number, owner: number, id: Uint32Array): boolean {
    const words = this.#words;
    const from = place * WORDS;
    return (
      words[from + 3] === id[3] &&
      words[from + 2] === id[2] &&
      words[from + 1] === id[1] &&
      words[from] === id[0] &&
      words[from + ID_WORDS] === owner
    );
  }

  #placeOf(actor: ActorId): number {
    const known = this.#actors.lastIndexOf(actor);
    return known >= 0 ? known : this.#actors.push(actor) - 1;
  }

  #makeRoom(): void {
    const capacity = this.#words.length / WORDS;
    if (this.#count < capacity) return;
    // Half as much again: what is kept for ten minutes is not to be half empty.
    const larger = Math.ceil(capacity * 1.5);
    const words = new Uint32Array(larger * WORDS);
    words.set(this.#words);
    this.#words = words;
    const numbers = new Float64Array(larger * NUMBERS);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
    if (larger * 4 <= this.#table.length * 3) return;
    this.#table = new Int32Array(this.#table.length * 2);
    for (let place = 0; place < this.#count; place += 1) this.#enter(place);
  }

  #enter(place: number): void {
    const table = this.#table;
    let slot = this.#slotOf(this.#words, place * WORDS);
    while (table[slot] !== 0) slot = (slot + 1) & (table.length - 1);
    table[slot] = place + 1;
  }

  /**
   * Of the last 64 bits, which clients draw at random. One that does not, so that all of its ids
   * meet in one place, would have to know the seed as well.
   */
  #slotOf(words: Uint32Array, from: number): number {
    const half = mixed((words[from + 2] as number) ^ this.#seed);
    return mixed(half ^ (words[from + 3] as number)) & (this.#table.length - 1);
  }
}

/** As MurmurHash3 finishes (Appleby, 2011). */
function mixed(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
