import type { Instant } from '../machine.ts';

interface Entry<T> {
  readonly at: Instant;
  readonly item: T;
}

/**
 * Moments at which something is due, earliest first: a binary heap.
 *
 * There is no removal. Whoever takes an item asks whether its deadline still stands; a deadline
 * that moved was added again. So cancelling costs nothing and an entry lives as long as its moment.
 */
export class Deadlines<T> {
  readonly #heap: Entry<T>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  get nextAt(): Instant | undefined {
    return this.#heap[0]?.at;
  }

  add(at: Instant, item: T): void {
    const heap = this.#heap;
    const entry = { at, item };
    let hole = heap.length;
    heap.push(entry);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = heap[parent] as Entry<T>;
      if (above.at <= at) break;
      heap[hole] = above;
      hole = parent;
    }
    heap[hole] = entry;
  }

  /** The earliest item that is due, or undefined. */
  takeDue(now: Instant): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    const last = this.#heap.pop() as Entry<T>;
    if (this.#heap.length > 0) this.#sink(last);
    return first.item;
  }

  #sink(entry: Entry<T>): void {
    const heap = this.#heap;
    let hole = 0;
    while (true) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      const left = heap[child] as Entry<T>;
      const right = heap[child + 1];
      if (right !== undefined && right.at < left.at) child += 1;
      const below = heap[child] as Entry<T>;
      if (below.at >= entry.at) break;
      heap[hole] = below;
      hole = child;
    }
    heap[hole] = entry;
  }
}
