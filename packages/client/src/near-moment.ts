import type { Clock, Instant } from '@memgrid/core';

/** Hits that share one reading of the clock: it costs more than all the rest of a hit. */
const HITS_MAX = 16;

/**
 * The time, read once for up to 16 hits of one callback of the event loop and of the promises that it
 * settles.
 *
 * While that runs, nothing can arrive in this process, so its hits may count as one moment; one that
 * computes for seconds between two of them makes the second one as much older. The next callback
 * always reads the clock anew.
 */
export class NearMoment {
  readonly #clock: Clock;
  #now = -Infinity as Instant;
  #hitsLeft = 0;
  #isWatched = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): Instant {
    if (this.#hitsLeft === 0) return this.#read();
    this.#hitsLeft -= 1;
    return this.#now;
  }

  #read(): Instant {
    this.#now = this.#clock.now();
    this.#hitsLeft = HITS_MAX - 1;
    if (!this.#isWatched) {
      this.#isWatched = true;
      process.nextTick(this.#end);
    }
    return this.#now;
  }

  readonly #end = (): void => {
    this.#isWatched = false;
    this.#hitsLeft = 0;
  };
}
