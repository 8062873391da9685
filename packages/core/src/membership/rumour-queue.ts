import type { MemberUpdate } from '@memgrid/protocol';

/** Something to tell, and how often it has been told. */
export interface Rumour {
  readonly update: MemberUpdate;
  /** Encoded length. */
  readonly bytes: number;
  /** Where it waits. */
  readonly queue: RumourQueue;
  sends: number;
  /** Replaced by newer news or told often enough: skipped when its turn comes. */
  stale: boolean;
}

/**
 * Rumours by how often they were sent: the least-sent first, and among those never sent the
 * newest first.
 *
 * One bucket for each number of sends keeps a choice O(1) however many wait: after a partition
 * heals there may be thousands.
 */
export class RumourQueue {
  #buckets: Rumour[][] = [];
  /** How many of a bucket's first elements are gone already. */
  #heads: number[] = [];
  #size = 0;
  #staleCount = 0;

  /** Rumours that still wait to be told. */
  get liveCount(): number {
    return this.#size - this.#staleCount;
  }

  add(rumour: Rumour): void {
    while (this.#buckets.length <= rumour.sends) {
      this.#buckets.push([]);
      this.#heads.push(0);
    }
    this.#buckets[rumour.sends]?.push(rumour);
    this.#size += 1;
  }

  /** Never to be told again. Costs its place until its turn or the next sweep. */
  retire(rumour: Rumour): void {
    if (rumour.stale) return;
    rumour.stale = true;
    this.#staleCount += 1;
    // A rumour that is replaced over and over while nobody asks must not pile up.
    if (this.#staleCount > 64 && this.#staleCount * 2 > this.#size) this.#sweep();
  }

  /** The next rumour to tell, left where it is. Forgets stale and worn-out ones on the way. */
  peek(sendsMax: number): Rumour | undefined {
    if (this.#size === 0) return undefined;
    for (let sends = 0; sends < this.#buckets.length; sends += 1) {
      while (true) {
        const rumour = this.#front(sends);
        if (rumour === undefined) break;
        if (!rumour.stale && rumour.sends < sendsMax) return rumour;
        if (!rumour.stale) this.#staleCount += 1;
        rumour.stale = true;
        this.#drop(sends);
        this.#staleCount -= 1;
      }
    }
    return undefined;
  }

  /** Takes out what `peek` returned. */
  take(rumour: Rumour): void {
    this.#drop(rumour.sends);
  }

  #front(sends: number): Rumour | undefined {
    const bucket = this.#buckets[sends] as Rumour[];
    return sends === 0 ? bucket.at(-1) : bucket[this.#heads[sends] as number];
  }

  #drop(sends: number): void {
    const bucket = this.#buckets[sends] as Rumour[];
    this.#size -= 1;
    if (sends === 0) {
      bucket.pop();
      return;
    }
    const head = (this.#heads[sends] as number) + 1;
    if (head === bucket.length) {
      bucket.length = 0;
      this.#heads[sends] = 0;
    } else if (head > 64 && head * 2 > bucket.length) {
      bucket.splice(0, head);
      this.#heads[sends] = 0;
    } else {
      this.#heads[sends] = head;
    }
  }

  #sweep(): void {
    const heads = this.#heads;
    this.#buckets = this.#buckets.map((bucket, sends) =>
      bucket.slice(heads[sends]).filter((rumour) => !rumour.stale),
    );
    this.#heads = this.#buckets.map(() => 0);
    this.#size -= this.#staleCount;
    this.#staleCount = 0;
  }
}
