import { ID_WORDS, msOfIdWords, writeIdWords } from './operation-id-words.ts';
import { type FoundOperation, OperationPeriod } from './operation-period.ts';
import type { RememberedOperation } from './remembered-operations.ts';

/**
 * What is given up at once: short, so that a busy node never has to forget much in one step, and
 * long enough that an idle one does not keep a table for every operation.
 */
const PERIOD_MS = 250;

/** Clocks of clients are a little apart: so far ahead is no future yet. Milliseconds. */
const FUTURE_FROM_MS = 2_000;
/** One of so many bytes may be about ids of the future, which outlive what happens now. */
const FUTURE_SHARE = 8;

/** Who remembers: one copy of one shard. */
export interface OperationOwner {
  /**
   * An operation of its own is not remembered any more. Its id is not read for nothing: while a
   * node is busy, as many are forgotten as are remembered.
   */
  forgotten(period: OperationPeriod, place: number): void;
}

/** Where the next operations of an owner are looked for. */
export interface OperationCursor {
  readonly period: number;
  readonly place: number;
}

export const FIRST_OPERATION: OperationCursor = { period: 0, place: 0 };

/**
 * What all shards of a node remember of operations, within one number of bytes: when it is too
 * much, the oldest are forgotten, whatever shard they are of. So a shard that is written to all the
 * time may use what a thousand idle ones do not need, and each remembers back to the same moment.
 *
 * What one node forgets need not be what another one does: see DESIGN.md, F16.
 */
export class OperationMemory {
  readonly #bytesMax: number;
  readonly #seed: number;
  readonly #periods = new Map<number, OperationPeriod>();
  /** The keys of `#periods`, in order. */
  readonly #order: number[] = [];
  /** Copies that are gone stay in their periods until those end, and hear nothing any more. */
  readonly #owners = new Map<number, OperationOwner>();
  #ownerCount = 0;
  #bytes = 0;
  readonly #id = new Uint32Array(ID_WORDS);

  /** @param seed a random number of 32 bits. */
  constructor(bytesMax: number, seed: number) {
    this.#bytesMax = bytesMax;
    this.#seed = seed;
  }

  /** What is held, all shards together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** No remembered id is older. Milliseconds since 1970; undefined when nothing is remembered. */
  get oldestMs(): number | undefined {
    const [oldest] = this.#order;
    return oldest === undefined ? undefined : oldest * PERIOD_MS;
  }

  /** @returns the number under which `owner` remembers. */
  enter(owner: OperationOwner): number {
    this.#ownerCount += 1;
    this.#owners.set(this.#ownerCount, owner);
    return this.#ownerCount;
  }

  leave(owner: number): void {
    this.#owners.delete(owner);
  }

  find(owner: number, operationId: string): RememberedOperation | undefined {
    const period = this.#periods.get(this.#read(operationId) ?? -1);
    const place = period?.find(owner, this.#id) ?? -1;
    return place < 0 ? undefined : period?.outcomeAt(place);
  }

  /**
   * Remembers an outcome, or another one of the same id. Text that is no operation id is passed
   * over: nobody would carry it out, remembered or not.
   *
   * @returns whether the id is new.
   */
  remember(owner: number, operationId: string, outcome: RememberedOperation): boolean {
    const number = this.#read(operationId);
    if (number === undefined) return false;
    const period = this.#periods.get(number) ?? this.#begin(number);
    const place = period.find(owner, this.#id);
    if (place >= 0) {
      period.set(place, outcome);
      return false;
    }
    const before = period.bytes;
    period.add(owner, this.#id, outcome);
    this.#bytes += period.bytes - before;
    return true;
  }

  /**
   * Whether the latest period alone is more than there is room for. It cannot be forgotten without
   * refusing what comes next, so it must not grow: ids of its quarter of a second are for later. So
   * are ids of the future, where others of them have their share already: forgetting begins with what
   * is oldest, and that would be what happens now.
   *
   * @param presentMs milliseconds since 1970.
   */
  isCrowded(operationId: string, presentMs: number): boolean {
    const number = this.#read(operationId);
    if (number === undefined) return false;
    const future = Math.ceil((presentMs + FUTURE_FROM_MS) / PERIOD_MS);
    if (number >= future && this.#bytesFrom(future) > this.#bytesMax / FUTURE_SHARE) return true;
    if (number !== this.#order.at(-1)) return false;
    return (this.#periods.get(number) as OperationPeriod).bytes > this.#bytesMax;
  }

  /** Of all periods from this one on. */
  #bytesFrom(first: number): number {
    let bytes = 0;
    for (let at = this.#order.length - 1; at >= 0; at -= 1) {
      const number = this.#order[at] as number;
      if (number < first) break;
      bytes += (this.#periods.get(number) as OperationPeriod).bytes;
    }
    return bytes;
  }

  /** Forgets the oldest until the rest fits. The latest period stays: somebody is about to ask. */
  keepWithinBounds(): void {
    while (this.#bytes > this.#bytesMax && this.#order.length > 1) this.#forgetOldest();
  }

  /** Forgets all periods that ended by `ms`. Milliseconds since 1970. */
  forgetUpTo(ms: number): void {
    while (this.#order.length > 0 && ((this.#order[0] as number) + 1) * PERIOD_MS <= ms) {
      this.#forgetOldest();
    }
  }

  /** Up to `limit` operations of an owner from `cursor` on, about in order of age. */
  page(
    owner: number,
    cursor: OperationCursor,
    limit: number,
  ): { readonly found: readonly FoundOperation[]; readonly next: OperationCursor | undefined } {
    const found: FoundOperation[] = [];
    for (const number of this.#order) {
      if (number < cursor.period) continue;
      const period = this.#periods.get(number) as OperationPeriod;
      let place = period.nextOf(owner, number === cursor.period ? cursor.place : 0);
      for (; place < period.count; place = period.nextOf(owner, place + 1)) {
        if (found.length === limit) return { found, next: { period: number, place } };
        found.push({ operationId: period.idAt(place), outcome: period.outcomeAt(place) });
      }
    }
    return { found, next: undefined };
  }

  /** Reads an id into `#id`. The number of its period; undefined for what is no operation id. */
  #read(operationId: string): number | undefined {
    if (!writeIdWords(operationId, this.#id)) return undefined;
    return Math.floor(msOfIdWords(this.#id) / PERIOD_MS);
  }

  #begin(number: number): OperationPeriod {
    // As many again as lately, but a third: who keeps on writing does not pay for growing step by
    // step, and what is kept for ten minutes stays nearly full.
    const latest = this.#periods.get(this.#order.at(-1) ?? -1);
    const period = new OperationPeriod(this.#seed, Math.ceil(((latest?.count ?? 0) * 2) / 3));
    this.#periods.set(number, period);
    this.#bytes += period.bytes;
    // Ids arrive about in order, so this is nearly always the end.
    let at = this.#order.length;
    while (at > 0 && (this.#order[at - 1] as number) > number) at -= 1;
    this.#order.splice(at, 0, number);
    return period;
  }

  #forgetOldest(): void {
    const number = this.#order.shift() as number;
    const period = this.#periods.get(number) as OperationPeriod;
    this.#periods.delete(number);
    this.#bytes -= period.bytes;
    for (let place = 0; place < period.count; place += 1) {
      this.#owners.get(period.ownerAt(place))?.forgotten(period, place);
    }
  }
}
