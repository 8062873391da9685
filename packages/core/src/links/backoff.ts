import { after, type Instant } from '../machine.ts';
import type { Random } from '../random.ts';
import { LINKS } from './links-io.ts';

interface Failures {
  readonly count: number;
  readonly retryAt: Instant;
}

/** When an address may be dialled again: doubling from 100 ms to 5 s, with jitter. */
export class Backoff {
  readonly #random: Random;
  readonly #failures = new Map<string, Failures>();

  constructor(random: Random) {
    this.#random = random;
  }

  mayDial(address: string, now: Instant): boolean {
    const failures = this.#failures.get(address);
    return failures === undefined || failures.retryAt <= now;
  }

  failed(address: string, now: Instant): void {
    const count = (this.#failures.get(address)?.count ?? 0) + 1;
    const ceilingMs = Math.min(
      LINKS.backoffMsMin * 2 ** Math.min(count - 1, 16),
      LINKS.backoffMsMax,
    );
    const delayMs = this.#random.between(ceilingMs / 2, ceilingMs);
    // Re-inserting keeps the map in order of last failure, so the oldest is the first.
    this.#failures.delete(address);
    this.#failures.set(address, { count, retryAt: after(now, delayMs) });
    if (this.#failures.size > LINKS.backoffsMax) {
      const oldest = this.#failures.keys().next();
      if (oldest.done !== true) this.#failures.delete(oldest.value);
    }
  }

  succeeded(address: string): void {
    this.#failures.delete(address);
  }
}
