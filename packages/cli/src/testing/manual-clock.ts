import type { LoadClock } from '../bench/load-clock.ts';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is moved. Processor time passes a tenth as fast. */
export class ManualClock implements LoadClock {
  readonly #timers = new Set<Timer>();
  #nowMs = 0;
  /** Turns of the event loop that were asked for. */
  turns = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  cpuUs(): number {
    return this.#nowMs * 100;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  turn(): Promise<void> {
    this.turns += 1;
    return settled();
  }

  /** What takes time without ever waiting. */
  spend(ms: number): void {
    this.#nowMs += ms;
  }

  /** Lets everything happen, one moment after the other, until `work` is over. */
  async until<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    work.then(over, over);
    for (;;) {
      await settled();
      if (isOver) return await work;
      const next = [...this.#timers].reduce<Timer | undefined>(
        (first, timer) => (first === undefined || timer.atMs < first.atMs ? timer : first),
        undefined,
      );
      if (next === undefined) throw new Error('Nothing will ever happen any more.');
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
  }
}

/** Every promise that can go on has gone on. */
async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}
