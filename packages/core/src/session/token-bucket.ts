import type { Instant } from '../machine.ts';

export interface TokenBucketOptions {
  /** Earned with every call. */
  readonly share: number;
  /** Earned with time, whatever the calls. */
  readonly perSecond: number;
  /** What can be saved up. */
  readonly max: number;
  readonly now: Instant;
}

/**
 * How much extra load a client may cause: a share of its calls, and a little in any case.
 *
 * A cluster that is too busy answers with errors; if every error came back as another request, it
 * would be busier still. With a share of a tenth, the load never grows by more than a tenth.
 */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #at: Instant;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#tokens = options.max;
    this.#at = options.now;
  }

  earn(): void {
    const tokens = this.#tokens + this.#options.share;
    this.#tokens = tokens < this.#options.max ? tokens : this.#options.max;
  }

  /** Takes one if there is one. */
  take(now: Instant): boolean {
    const { max, perSecond } = this.#options;
    const elapsedMs = now - this.#at;
    this.#at = now;
    this.#tokens = Math.min(max, this.#tokens + (elapsedMs * perSecond) / 1000);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
