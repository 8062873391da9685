import type { BenchRow, RowNumbers, WorkloadName } from 'memgrid/bench';
import type { Measurement } from '../measurement.ts';
import type { Comparison } from './comparison.ts';

/** What memgrid is to reach beside a peer that is measured in the same run. */
export interface Bar {
  readonly row: string;
  /** `one node, memory, 256 in flight: set against the best Redis client`. */
  readonly what: string;
  readonly workload: WorkloadName;
  /** Undefined when nothing was asked for: it is measured for whoever wants to know. */
  readonly ratio: number | undefined;
  /** `atLeast`: operations a second. `atMost`: p99 in milliseconds. */
  readonly kind: 'atLeast' | 'atMost';
  /** Whether a row, by its name, is one of the peers that count. */
  readonly isRival: (subject: string) => boolean;
}

interface Quantity {
  readonly of: (numbers: RowNumbers) => number;
  readonly range: (numbers: RowNumbers) => { readonly min: number; readonly max: number };
  readonly text: (value: number) => string;
  readonly unit: string;
}

const PER_SECOND: Quantity = {
  of: ({ perSecond }) => perSecond,
  range: ({ perSecondRange }) => perSecondRange,
  text: (value) => Math.round(value).toLocaleString('en-US'),
  unit: 'a second',
};
const P99: Quantity = {
  of: ({ latencyMs }) => latencyMs.p99,
  range: ({ p99MsRange }) => p99MsRange,
  text: (value) => value.toFixed(2),
  unit: 'ms',
};

/** Says whether a bar is met. A peer that is not there, or a partial result, does not meet it. */
export function measuredBar(bar: Bar, { rows, missing }: Comparison): Measurement {
  const quantity = bar.kind === 'atLeast' ? PER_SECOND : P99;
  const ofWorkload = rows.filter(({ plan, end }) => {
    return plan.workload === bar.workload && end !== 'notOffered';
  });
  const own = ofWorkload.find(isMemgrid);
  const rivals = ofWorkload
    .filter(({ subject }) => bar.isRival(subject))
    .flatMap(({ numbers, subject }) => (numbers === undefined ? [] : [{ numbers, subject }]))
    .sort((a, b) => better(bar, quantity.of(b.numbers) - quantity.of(a.numbers)));
  const best = rivals[0];
  const ratio =
    own?.numbers === undefined || best === undefined
      ? Number.NaN
      : quantity.of(own.numbers) / quantity.of(best.numbers);
  const isPartial = ofWorkload.some(({ end }) => end !== 'complete');
  const others = ofWorkload.filter((row) => row !== own && row.subject !== best?.subject);
  const parts = [
    ...(isPartial ? ['partial'] : []),
    ...(Number.isNaN(ratio) ? [] : [`${ratio.toFixed(2)} x`]),
    [own, ofWorkload.find(({ subject }) => subject === best?.subject)]
      .flatMap((row) => (row === undefined ? [] : [`${row.subject} ${figures(row, quantity)}`]))
      .join(' against '),
    ...others.map((row) => `${row.subject} ${figures(row, quantity)}`),
    ...missing.map(({ subject, reason }) => `${subject}: ${reason}`),
  ];
  const limit = bar.kind === 'atLeast' ? 'at least' : 'at most';
  return {
    row: bar.row,
    what: bar.what,
    bar: bar.ratio === undefined ? 'recorded' : `${limit} ${bar.ratio} x`,
    measured: parts.join('; '),
    met: bar.ratio === undefined ? undefined : isReached(bar.kind, ratio, bar.ratio) && !isPartial,
    numbers: { ...(Number.isNaN(ratio) ? {} : { ratio }), ...flat(ofWorkload) },
  };
}

export function isMemgrid({ subject }: { readonly subject: string }): boolean {
  return subject.startsWith('memgrid');
}

export function isRedis(subject: string): boolean {
  return subject.startsWith('Redis');
}

function isReached(kind: Bar['kind'], ratio: number, bar: number): boolean {
  return kind === 'atLeast' ? ratio >= bar : ratio <= bar;
}

/** Negative when the first of two, whose difference this is, is the better one. */
function better({ kind }: Bar, difference: number): number {
  return kind === 'atLeast' ? difference : -difference;
}

/** `155,000 (150,100–158,400) a second`. */
function figures({ numbers, end, problem }: BenchRow, quantity: Quantity): string {
  if (numbers === undefined) return end === 'died' ? `died: ${problem}` : 'was not measured';
  const { min, max } = quantity.range(numbers);
  const spread = numbers.rounds > 1 ? ` (${quantity.text(min)}–${quantity.text(max)})` : '';
  return `${quantity.text(quantity.of(numbers))}${spread} ${quantity.unit}`;
}

/** The numbers of rows, by name of subject and workload. */
export function flat(rows: readonly BenchRow[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    rows.flatMap(({ subject, plan, numbers }) => {
      if (numbers === undefined) return [];
      const name = `${subject}: ${plan.workload}`;
      const { perSecond, latencyMs, clientCpuUs, serverCpuUs, rounds } = numbers;
      return [
        [`${name} per second`, perSecond],
        [`${name} p50 ms`, latencyMs.p50],
        [`${name} p99 ms`, latencyMs.p99],
        [`${name} client us`, clientCpuUs],
        ...(serverCpuUs === undefined ? [] : [[`${name} servers us`, serverCpuUs]]),
        [`${name} rounds`, rounds],
      ];
    }),
  );
}
