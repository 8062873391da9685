interface Series {
  /** One for each bound, and one for what is longer than all of them. */
  readonly counts: number[];
  sumSeconds: number;
}

interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  /** Every value of the label. */
  readonly values: readonly string[];
  /** Upper bounds of the buckets in seconds, ascending. */
  readonly bounds: readonly number[];
}

/**
 * A Prometheus histogram for what happens hundreds of thousands of times a second: counting is a
 * look at a few bounds, where a general histogram checks and hashes labels every time, which took
 * longer than decoding the operation that it was about.
 */
export class DurationHistogram {
  readonly #options: HistogramOptions;
  readonly #series = new Map<string, Series>();

  constructor(options: HistogramOptions) {
    this.#options = options;
    const { values, bounds } = options;
    for (const value of values) {
      const counts = Array.from({ length: bounds.length + 1 }, () => 0);
      this.#series.set(value, { counts, sumSeconds: 0 });
    }
  }

  /** Counts `count` things that took `seconds` each. A label value that was not announced is left out. */
  observe(value: string, seconds: number, count: number): void {
    const series = this.#series.get(value);
    if (series === undefined) return;
    const { bounds } = this.#options;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] as number) + count;
    series.sumSeconds += seconds * count;
  }

  /** In Prometheus' text format, without a line break at the end. */
  text(): string {
    const { name, help, label, bounds } = this.#options;
    const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
    for (const [value, { counts, sumSeconds }] of this.#series) {
      let total = 0;
      for (const [bucket, count] of counts.entries()) {
        total += count;
        const bound = bounds[bucket] ?? '+Inf';
        lines.push(`${name}_bucket{le="${bound}",${label}="${value}"} ${total}`);
      }
      lines.push(`${name}_sum{${label}="${value}"} ${sumSeconds}`);
      lines.push(`${name}_count{${label}="${value}"} ${total}`);
    }
    return lines.join('\n');
  }
}
