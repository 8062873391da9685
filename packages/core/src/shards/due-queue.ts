import type { Instant } from '../machine.ts';

interface Due<T> {
  readonly at: Instant;
  readonly what: T;
}

/**
 * What is to be looked at when: a binary heap, earliest first.
 *
 * Nothing is ever taken out early: whoever is looked at decides whether there is anything to do.
 * So a thousand idle shards cost nothing, and a moved deadline costs one more look.
 */
export class DueQueue<T> {
  readonly #heap: Due<T>[] = [];

  get earliest(): Instant | undefined {
    return this.#heap[0]?.at;
  }

  get count(): number {
    return this.#heap.length;
  }

  add(at: Instant, what: T): void {
    const heap = this.#heap;
    heap.push({ at, what });
    let place = heap.length - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#at(parent) <= this.#at(place)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  /** Removes and returns what is due, earliest first; undefined when nothing is. */
  take(now: Instant): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > now) return undefined;
    const last = heap.pop() as Due<T>;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first.what;
  }

  #sink(): void {
    const { length } = this.#heap;
    let place = 0;
    while (true) {
      const left = 2 * place + 1;
      const right = left + 1;
      let smallest = place;
      if (left < length && this.#at(left) < this.#at(smallest)) smallest = left;
      if (right < length && this.#at(right) < this.#at(smallest)) smallest = right;
      if (smallest === place) return;
      this.#swap(place, smallest);
      place = smallest;
    }
  }

  #at(place: number): number {
    return (this.#heap[place] as Due<T>).at;
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const held = heap[a] as Due<T>;
    heap[a] = heap[b] as Due<T>;
    heap[b] = held;
  }
}
