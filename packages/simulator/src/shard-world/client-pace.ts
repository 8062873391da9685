import type { Random } from '@memgrid/core';
import type { EventQueue } from '../event-queue.ts';

export interface PaceOptions {
  readonly queue: EventQueue;
  readonly random: Random;
  /** Mean time between the end of one call and the beginning of the next. */
  readonly thinkMs: number;
  /** Begins the next call; `pause` is called when it has ended. */
  readonly perform: () => void;
}

/** One thing at a time, with a pause of random length (exponential, as of people) before each. */
export class ClientPace {
  readonly #options: PaceOptions;
  #stopped = false;
  #busy = false;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#busy;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Begins nothing new; what is under way ends. */
  stop(): void {
    this.#stopped = true;
  }

  /** The call is over, or there was none yet. */
  pause(): void {
    const { queue, random, thinkMs, perform } = this.#options;
    this.#busy = false;
    queue.after(-Math.log(1 - random.unit()) * thinkMs * 1000, () => {
      if (this.#stopped) return;
      this.#busy = true;
      perform();
    });
  }
}
