import { invariant } from '@memgrid/core';
import type { Random } from '@memgrid/core';

interface QueuedEvent {
  readonly atUs: number;
  /** Drawn from the seed, so that ties are broken by luck and not by the order of our code. */
  readonly tie: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * The one queue of a simulated world: a binary heap by virtual time.
 *
 * Two events of the same microsecond run in an order drawn from the seed. Real machines promise
 * no order between unrelated events either, and a fixed one would hide the races between them.
 * Whoever needs an order (a link, a disk) must ask for different moments.
 */
export class EventQueue {
  readonly #random: Random;
  readonly #heap: QueuedEvent[] = [];
  #nowUs = 0;
  #order = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Virtual microseconds since the world began. */
  get nowUs(): number {
    return this.#nowUs;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Runs `run` at the whole microsecond `atUs`, which may be now but not earlier. */
  at(atUs: number, run: () => void): void {
    invariant(
      Number.isSafeInteger(atUs) && atUs >= this.#nowUs,
      `An event at ${atUs} us cannot be queued at ${this.#nowUs} us.`,
    );
    this.#order += 1;
    this.#siftUp({ atUs, tie: this.#random.uint32(), order: this.#order, run });
  }

  /** Runs `run` after `delayUs`, rounded to whole microseconds. */
  after(delayUs: number, run: () => void): void {
    this.at(this.#nowUs + Math.max(0, Math.round(delayUs)), run);
  }

  /** Runs everything due up to and including `untilUs`; the clock then stands at `untilUs`. */
  runUntil(untilUs: number, stop: () => boolean): void {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.atUs > untilUs) break;
      this.#removeFirst();
      this.#nowUs = first.atUs;
      first.run();
      if (stop()) return;
    }
    this.#nowUs = untilUs;
  }

  #siftUp(event: QueuedEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as QueuedEvent;
      if (!isEarlier(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as QueuedEvent;
    const length = heap.length;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      const right = child + 1;
      if (right < length && isEarlier(heap[right] as QueuedEvent, heap[child] as QueuedEvent)) {
        child = right;
      }
      const below = heap[child] as QueuedEvent;
      if (!isEarlier(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function isEarlier(a: QueuedEvent, b: QueuedEvent): boolean {
  if (a.atUs !== b.atUs) return a.atUs < b.atUs;
  if (a.tie !== b.tie) return a.tie < b.tie;
  return a.order < b.order;
}
