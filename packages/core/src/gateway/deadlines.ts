import type { Instant } from '../machine.ts';

/** Deadlines this close together are kept, and come due, as one. */
const BUCKET_MS = 8;

/**
 * Many deadlines, most of which are struck off before they come due: both cost the same few steps
 * however many there are. None comes due before its time, and at most 8 ms after it.
 */
export class Deadlines {
  readonly #buckets = new Map<number, Set<number>>();
  /** The numbers of all buckets, ascending, from `#first` on. */
  #order: number[] = [];

  get wakeAt(): Instant | undefined {
    const first = this.#order[0];
    return first === undefined ? undefined : ((first * BUCKET_MS) as Instant);
  }

  add(deadline: Instant, id: number): void {
    const number = bucketOf(deadline);
    const present = this.#buckets.get(number);
    if (present !== undefined) {
      present.add(id);
      return;
    }
    this.#buckets.set(number, new Set([id]));
    this.#insert(number);
  }

  strike(deadline: Instant, id: number): void {
    const bucket = this.#buckets.get(bucketOf(deadline));
    bucket?.delete(id);
    this.#dropEmpty();
  }

  /** Takes out what is due. */
  takeDue(now: Instant): readonly number[] {
    const due: number[] = [];
    while (this.#order[0] !== undefined && this.#order[0] * BUCKET_MS <= now) {
      const number = this.#order.shift() as number;
      due.push(...(this.#buckets.get(number) ?? []));
      this.#buckets.delete(number);
    }
    this.#dropEmpty();
    return due;
  }

  /** Empty buckets in front would wake somebody for nothing. */
  #dropEmpty(): void {
    for (
      let first = this.#order[0];
      first !== undefined && this.#buckets.get(first)?.size === 0;
      first = this.#order[0]
    ) {
      this.#order.shift();
      this.#buckets.delete(first);
    }
  }

  /** Nearly always at the end: most callers have the same patience. */
  #insert(number: number): void {
    let at = this.#order.length;
    while (at > 0 && (this.#order[at - 1] as number) > number) at -= 1;
    this.#order.splice(at, 0, number);
  }
}

function bucketOf(deadline: Instant): number {
  return Math.ceil(deadline / BUCKET_MS);
}
