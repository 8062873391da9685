import type { Instant } from '../machine.ts';

/** Not queued at all. */
export const NOT_QUEUED = Infinity as Instant;

/** Something that wants to be looked at again. `dueAt` is the moment that counts now. */
export interface Due {
  dueAt: Instant;
  /** It is over: whatever is still queued for it means nothing. */
  settled: boolean;
}

/** Queued entries at which leftovers are looked for at all. */
const COMPACT_ABOVE = 256;

/**
 * When to look at which call again: a binary heap that forgets lazily.
 *
 * Almost every call is answered long before its moment comes, so taking it out must cost nothing:
 * it is marked, skipped when it surfaces, and swept once most of the heap is leftovers.
 */
export class DueQueue<T extends Due> {
  #moments: number[] = [];
  #items: T[] = [];
  #settled = 0;

  /** Entries, leftovers included. */
  get size(): number {
    return this.#items.length;
  }

  /** The next moment at which something is due. */
  get next(): Instant | undefined {
    this.#skipLeftovers();
    return this.#moments[0] as Instant | undefined;
  }

  /** Looks at `item` at `moment` instead of when it wanted before. */
  push(item: T, moment: Instant): void {
    item.dueAt = moment;
    let at = this.#items.length;
    this.#moments.push(moment);
    this.#items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#moments[parent] as number) <= moment) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Told when an item is over, so that leftovers do not pile up. */
  noteSettled(): void {
    this.#settled += 1;
    if (this.#items.length > COMPACT_ABOVE && this.#settled * 2 > this.#items.length) {
      this.#compact();
    }
  }

  /** The next item that is due by `now`, taken out; undefined when there is none. */
  take(now: Instant): T | undefined {
    this.#skipLeftovers();
    if (this.#items.length === 0 || (this.#moments[0] as number) > now) return undefined;
    const item = this.#items[0] as T;
    item.dueAt = NOT_QUEUED;
    this.#removeFirst();
    return item;
  }

  #skipLeftovers(): void {
    while (this.#items.length > 0) {
      const item = this.#items[0] as T;
      if (!item.settled && item.dueAt === this.#moments[0]) return;
      if (item.settled && this.#settled > 0) this.#settled -= 1;
      this.#removeFirst();
    }
    this.#settled = 0;
  }

  #removeFirst(): void {
    const lastMoment = this.#moments.pop() as number;
    const lastItem = this.#items.pop() as T;
    if (this.#items.length === 0) return;
    this.#moments[0] = lastMoment;
    this.#items[0] = lastItem;
    this.#sink(0);
  }

  #sink(start: number): void {
    const count = this.#items.length;
    let at = start;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= count) return;
      const right = left + 1;
      const rightFirst =
        right < count && (this.#moments[right] as number) < (this.#moments[left] as number);
      const child = rightFirst ? right : left;
      if ((this.#moments[child] as number) >= (this.#moments[at] as number)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #swap(a: number, b: number): void {
    const moment = this.#moments[a] as number;
    this.#moments[a] = this.#moments[b] as number;
    this.#moments[b] = moment;
    const item = this.#items[a] as T;
    this.#items[a] = this.#items[b] as T;
    this.#items[b] = item;
  }

  #compact(): void {
    const moments: number[] = [];
    const items: T[] = [];
    for (let at = 0; at < this.#items.length; at += 1) {
      const item = this.#items[at] as T;
      if (item.settled || item.dueAt !== this.#moments[at]) continue;
      moments.push(this.#moments[at] as number);
      items.push(item);
    }
    this.#moments = moments;
    this.#items = items;
    this.#settled = 0;
    for (let at = (items.length >> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }
}
