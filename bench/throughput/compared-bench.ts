import { benchReport, measuredOn, type BenchReport } from 'memgrid/bench';
import type { Bench, Effort, Measurement } from '../measurement.ts';
import type { RowName } from '../record.ts';
import { compare, type Comparison, type ComparisonOptions } from './comparison.ts';
import { paceOf, type Pace } from './effort.ts';
import { interruptible } from './interruption.ts';

export interface ComparedBench {
  readonly row: RowName;
  readonly title: string;
  readonly plan: (effort: Effort) => Pick<ComparisonOptions, 'systems' | 'plans' | 'dataset'>;
  /** How long and how often. Default: `paceOf`. */
  readonly pace?: (effort: Effort) => Pace;
  readonly measurements: (comparison: Comparison) => readonly Measurement[];
}

/** A row that compares systems: starts them, measures, and says what was reached. */
export function comparedBench(bench: ComparedBench): Bench {
  const { row, title, plan, pace = paceOf, measurements } = bench;
  return {
    row,
    run: async (effort, progress) => {
      const options = { ...plan(effort), ...pace(effort), progress };
      const at = new Date().toISOString();
      const comparison = await interruptible((signal) => compare({ ...options, signal }));
      const report = await reportOf({ row, title, at, options, comparison });
      const [first, ...rest] = measurements(comparison);
      return first === undefined ? [] : [{ ...first, report }, ...rest];
    },
  };
}

interface ReportParts {
  readonly row: RowName;
  readonly title: string;
  readonly at: string;
  readonly options: Pick<ComparisonOptions, 'dataset' | 'rounds' | 'seconds' | 'warmupSeconds'>;
  readonly comparison: Comparison;
}

async function reportOf({ title, at, options, comparison }: ReportParts): Promise<BenchReport> {
  const { dataset, rounds, seconds, warmupSeconds } = options;
  return benchReport({
    ...(await measuredOn()),
    title,
    at,
    configuration: {
      entries: dataset.count,
      size: dataset.size,
      texts: dataset.turnsFile === undefined ? 'sample' : 'conversations',
      rounds,
      seconds,
      warmupSeconds,
      systems: comparison.systems.join('; '),
    },
    rows: comparison.rows,
    missing: comparison.missing,
  });
}
