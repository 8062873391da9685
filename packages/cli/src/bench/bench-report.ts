import type { MeasuredOn } from './measured-on.ts';
import type { BenchRow } from './rounds.ts';

/** A subject that could not be measured at all, and why. */
export interface MissingSubject {
  readonly subject: string;
  /** With what to do about it: `not installed: apt-get install redis-server`. */
  readonly reason: string;
}

/** Everything about a run, as it is written as JSON; the other reports are made from it. */
export interface BenchReport extends MeasuredOn {
  readonly title: string;
  /** When it began, as ISO 8601. */
  readonly at: string;
  /** Something of what was asked for is not there: it was interrupted, or a subject died. */
  readonly partial: boolean;
  readonly configuration: Readonly<Record<string, string | number | boolean | null>>;
  readonly rows: readonly BenchRow[];
  readonly missing: readonly MissingSubject[];
}

export type BenchReportParts = Omit<BenchReport, 'partial' | 'missing'> & {
  readonly missing?: readonly MissingSubject[];
};

/** Completes a report. */
export function benchReport({ missing = [], ...parts }: BenchReportParts): BenchReport {
  const partial = parts.rows.some(({ end }) => end === 'interrupted' || end === 'died');
  return { ...parts, partial, missing };
}
