import type { Instant } from './machine.ts';

/** Not queued at all. */
export const NOT_QUEUED = Infinity as Instant;

/** Something that wants to be looked at again. */
export interface Due {
  /** The moment that counts now. Only the queue sets it; `NOT_QUEUED` at first. */
  dueAt: Instant;
}

/** Queued entries at which leftovers are looked for at all. */
const COMPACT_ABOVE = 256;

/**
 * When to look at which item again: a binary heap that forgets lazily.
 *
 * Almost everything is done long before its moment comes, so taking it out or moving it must cost
 * nothing: what was queued before is left behind, skipped when it surfaces, and swept once most of
 * the heap is leftovers. An item is in one queue at most.
 */
export class DueQueue<T extends Due> {
  #moments: number[] = [];
  #items: T[] = [];
  #leftovers = 0;

  /** Entries, leftovers included. */
  get size(): number {
    return this.#items.length;
  }

  /** The next moment at which something is due; undefined when nothing ever is. */
  get earliest(): Instant | undefined {
    this.#skipLeftovers();
    return this.#moments[0] as Instant | undefined;
  }

  /** Looks at `item` at `moment`, instead of when it wanted before. */
  add(moment: Instant, item: T): void {
    if (item.dueAt === moment) return;
    this.remove(item);
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

  /** Does not look at `item` any more, if it was to. */
  remove(item: T): void {
    if (item.dueAt === NOT_QUEUED) return;
    item.dueAt = NOT_QUEUED;
    this.#leftovers += 1;
    const isMostlyLeft = this.#leftovers * 2 > this.#items.length;
    if (isMostlyLeft && this.#items.length > COMPACT_ABOVE) this.#compact();
  }

  /** Takes out and returns what is due by `now`, earliest first; undefined when nothing is. */
  take(now: Instant): T | undefined {
    this.#skipLeftovers();
    if (this.#items.length === 0 || (this.#moments[0] as number) > now) return undefined;
    const item = this.#items[0] as T;
    item.dueAt = NOT_QUEUED;
    this.#removeFirst();
    return item;
  }

  #skipLeftovers(): void {
    while (this.#items.length > 0 && (this.#items[0] as T).dueAt !== this.#moments[0]) {
      this.#leftovers -= 1;
      this.#removeFirst();
    }
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
      if (item.dueAt !== this.#moments[at]) continue;
      moments.push(item.dueAt);
      items.push(item);
      // Taken out and queued again for the same moment, it is in the heap twice.
      item.dueAt = NOT_QUEUED;
    }
    for (const [at, item] of items.entries()) item.dueAt = moments[at] as Instant;
    this.#moments = moments;
    this.#items = items;
    this.#leftovers = 0;
    for (let at = (items.length >> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }
}
