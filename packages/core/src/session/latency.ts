/** Four buckets for each doubling, from 1/16 ms to about 8 s: an error of at most 19 %. */
const BUCKETS = 68;
const SMALLEST_MS = 1 / 16;
/** How many samples count before older ones begin to fade. */
const SAMPLES_MAX = 512;
/** How often the quantile is worked out anew. */
const REFRESH_EVERY = 32;

/** How long one node has taken lately: its 95th percentile, and a smoothed mean to compare nodes. */
export class Latency {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #sinceRefresh = 0;
  #p95 = 0;
  #mean = 0;
  #lastMs = 0;
  #lastBucket = 0;

  /** Milliseconds; 0 until enough is known. */
  get p95Ms(): number {
    return this.#p95;
  }

  /** Milliseconds, smoothed; 0 until something is known, so that new nodes are tried. */
  get meanMs(): number {
    return this.#mean;
  }

  /**
   * A sign of life of a node that is not asked otherwise: a slow one that has recovered would else
   * be thought slow for ever, because nobody asks it.
   */
  addProbe(ms: number): void {
    this.#mean = this.#mean === 0 ? ms : (this.#mean + ms) / 2;
  }

  add(ms: number): void {
    this.#mean = this.#mean === 0 ? ms : this.#mean + (ms - this.#mean) / 16;
    // The answers of one message were often sent together too.
    if (ms !== this.#lastMs) {
      this.#lastMs = ms;
      this.#lastBucket = bucketOf(ms);
    }
    const bucket = this.#lastBucket;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#total += 1;
    this.#sinceRefresh += 1;
    if (this.#sinceRefresh < REFRESH_EVERY) return;
    this.#sinceRefresh = 0;
    if (this.#total > SAMPLES_MAX) this.#fade();
    this.#p95 = this.#quantile(0.95);
  }

  #fade(): void {
    this.#total = 0;
    for (let at = 0; at < BUCKETS; at += 1) {
      const half = (this.#counts[at] as number) / 2;
      this.#counts[at] = half;
      this.#total += half;
    }
  }

  #quantile(share: number): number {
    let left = this.#total * share;
    for (let at = 0; at < BUCKETS; at += 1) {
      left -= this.#counts[at] as number;
      if (left <= 0) return SMALLEST_MS * 2 ** ((at + 1) / 4);
    }
    return SMALLEST_MS * 2 ** (BUCKETS / 4);
  }
}

function bucketOf(ms: number): number {
  if (!(ms > SMALLEST_MS)) return 0;
  const bucket = Math.floor(4 * Math.log2(ms / SMALLEST_MS));
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}
