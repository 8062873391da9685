import { after, type Instant } from '../../machine.ts';

/**
 * How many streams a node serves at once, and how fast all of them together: a bucket that fills
 * at the permitted rate and holds one second of it.
 */
export class StreamThrottle {
  readonly #bytesPerSecond: number;
  readonly #streamsMax: number;
  #bytes: number;
  #filledAt: Instant;
  /** Streams that this node serves. */
  serving = 0;

  constructor(options: { bytesPerSecond: number; streamsMax: number; now: Instant }) {
    this.#bytesPerSecond = options.bytesPerSecond;
    this.#streamsMax = options.streamsMax;
    this.#bytes = options.bytesPerSecond;
    this.#filledAt = options.now;
  }

  get isBusy(): boolean {
    return this.serving >= this.#streamsMax;
  }

  /** When the next chunk may be sent: now, or later. */
  readyAt(now: Instant): Instant {
    this.#fill(now);
    if (this.#bytes > 0) return now;
    return after(now, Math.ceil((1 - this.#bytes) / (this.#bytesPerSecond / 1000)));
  }

  spend(now: Instant, bytes: number): void {
    this.#fill(now);
    this.#bytes -= bytes;
  }

  #fill(now: Instant): void {
    const earned = ((now - this.#filledAt) * this.#bytesPerSecond) / 1000;
    this.#bytes = Math.min(this.#bytesPerSecond, this.#bytes + earned);
    this.#filledAt = now;
  }
}
