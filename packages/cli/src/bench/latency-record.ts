import { build } from 'hdr-histogram-js';
import type { LatencyMs } from './load-result.ts';

const NS_PER_MS = 1_000_000;
/** Three digits: 1.234 ms is told from 1.235 ms, and 123.4 ms from 123.5 ms. */
const DIGITS = 3;
const LATENCY_MS_MAX = 3_600_000;

/**
 * Latencies in a high dynamic range histogram (Gil Tene, hdrhistogram.org): constant memory and a few
 * dozen nanoseconds each, whatever their number, and no percentile is off by more than a thousandth.
 */
export class LatencyRecord {
  readonly #histogram = build({
    highestTrackableValue: LATENCY_MS_MAX * NS_PER_MS,
    numberOfSignificantValueDigits: DIGITS,
    autoResize: false,
  });

  /** What is longer than an hour counts as an hour. */
  add(ms: number): void {
    const bounded = Math.min(Math.max(ms, 0), LATENCY_MS_MAX);
    this.#histogram.recordValue(Math.round(bounded * NS_PER_MS));
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  summary(): LatencyMs {
    return {
      p50: this.#at(50),
      p90: this.#at(90),
      p99: this.#at(99),
      p999: this.#at(99.9),
      max: this.#at(100),
    };
  }

  #at(percent: number): number {
    if (this.count === 0) return 0;
    return this.#histogram.getValueAtPercentile(percent) / NS_PER_MS;
  }
}
