import { createHistogram } from 'node:perf_hooks';
import type { LatencyMs } from './load-result.ts';

const NS_PER_MS = 1_000_000;
/** Three digits: 1.234 ms is told from 1.235 ms, and 123.4 ms from 123.5 ms. */
const DIGITS = 3;
const LATENCY_MS_MAX = 3_600_000;

/**
 * Latencies in a high dynamic range histogram (Gil Tene, hdrhistogram.org; Node has the one in C):
 * constant memory and a few dozen nanoseconds each, whatever their number, and no percentile is off by
 * more than a thousandth.
 */
export class LatencyRecord {
  readonly #histogram = createHistogram({
    lowest: 1,
    highest: LATENCY_MS_MAX * NS_PER_MS,
    figures: DIGITS,
  });

  /** What is longer than an hour counts as an hour, and nothing is shorter than a nanosecond. */
  add(ms: number): void {
    const bounded = Math.min(ms, LATENCY_MS_MAX);
    this.#histogram.record(Math.max(1, Math.round(bounded * NS_PER_MS)));
  }

  get count(): number {
    return this.#histogram.count;
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
    return this.count === 0 ? 0 : this.#histogram.percentile(percent) / NS_PER_MS;
  }
}
