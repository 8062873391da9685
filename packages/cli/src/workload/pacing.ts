import type { Pacer } from './workload.ts';

export interface PacingOptions {
  /** Operations a second, of all clients together; 0 for as many as come. */
  readonly rate: number;
  readonly until: number;
  readonly nowMs: () => number;
  readonly pause: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
  /** Told of each operation that begins. */
  readonly begun: () => void;
}

/** Spreads operations evenly over time. A client that was held up does not catch up in a burst. */
export class Pacing implements Pacer {
  readonly #options: PacingOptions;
  #nextAt: number;

  constructor(options: PacingOptions) {
    this.#options = options;
    this.#nextAt = options.nowMs();
  }

  async turn(): Promise<boolean> {
    const { rate, until, nowMs, pause, signal, begun } = this.#options;
    if (rate > 0) {
      const at = Math.max(this.#nextAt, nowMs());
      this.#nextAt = at + 1_000 / rate;
      if (at >= until) return false;
      if (at > nowMs()) await pause(at - nowMs());
    }
    if (signal.aborted || nowMs() >= until) return false;
    begun();
    return true;
  }
}
