import type { Timestamp } from '@memgrid/protocol';

/**
 * A node's hybrid clock, without its persistence: it belongs to the host and survives restarts, as
 * production's does by its durable bound (`core/hybrid-clock`, K3).
 */
export class ShardClock {
  readonly #wallMs: () => number;
  #ms = 0;
  #counter = 0;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  readonly tick = (): Timestamp => {
    const wallMs = this.#wallMs();
    if (wallMs > this.#ms) {
      this.#ms = wallMs;
      this.#counter = 0;
    } else {
      this.#counter += 1;
    }
    return { ms: this.#ms, counter: this.#counter };
  };

  observe({ ms, counter }: Timestamp): void {
    if (ms < this.#ms || (ms === this.#ms && counter <= this.#counter)) return;
    this.#ms = ms;
    this.#counter = counter;
  }
}
