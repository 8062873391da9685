import type { BenchReport } from 'memgrid/bench';
import type { RowName } from './record.ts';

/** One row of the table in `README.md`: what was asked for and what was measured. */
export interface Measurement {
  /** Stable name of the row; `pnpm bench <row>` measures it alone. */
  readonly row: string;
  readonly what: string;
  readonly bar: string;
  /** What was measured, in words and numbers with units. */
  readonly measured: string;
  /** Undefined when nothing was asked for: it is recorded for whoever wants to know. */
  readonly met: boolean | undefined;
  /** Why it is less than what was asked for: a system died, or somebody interrupted. Never recorded. */
  readonly partial?: string;
  /** Raw numbers behind it, for the baseline file. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Everything about the run that this and the rows after it come from; goes to a file of its own. */
  readonly report?: BenchReport;
}

/** How much to measure: `full` is what is recorded, `quick` shows that it works. */
export type Effort = 'quick' | 'full';

export interface Bench {
  readonly row: RowName;
  run(effort: Effort, progress: (text: string) => void): Promise<readonly Measurement[]>;
}

/** The value below which `percent` of the values lie (nearest rank). NaN for no values. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Milliseconds as seconds with two digits: `1.24 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
