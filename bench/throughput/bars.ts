import { isRateHeld, type BenchRow, type RowNumbers, type WorkloadName } from 'memgrid/bench';
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

/**
 * Says whether a bar is met. A peer that is not there, a partial result, or a rate that memgrid did not
 * hold does not meet it. A peer that did not hold the rate is nobody to be compared with: its latencies
 * only say how long the run was.
 */
export function measuredBar(bar: Bar, { rows, missing }: Comparison): Measurement {
  const quantity = bar.kind === 'atLeast' ? PER_SECOND : P99;
  const ofWorkload = rows.filter(({ plan, end }) => {
    return plan.workload === bar.workload && end !== 'notOffered';
  });
  const own = ofWorkload.find(isMemgrid);
  const best = bestRival(bar, ofWorkload, quantity);
  const ratio =
    own?.numbers === undefined || best?.numbers === undefined
      ? Number.NaN
      : quantity.of(own.numbers) / quantity.of(best.numbers);
  const problems = ofWorkload.flatMap(partialText);
  const others = ofWorkload.filter((row) => row !== own && row !== best);
  const compared = [own, best].flatMap((row) => (row === undefined ? [] : [row]));
  const parts = [
    ...(problems.length > 0 ? ['partial'] : []),
    ...(Number.isNaN(ratio) ? [] : [`${ratio.toFixed(2)} x`]),
    compared.map((row) => figures(row, quantity)).join(' against '),
    ...others.map((row) => figures(row, quantity)),
    ...missing.map(({ subject, reason }) => `${subject}: ${reason}`),
  ];
  const isHeld = own !== undefined && isRateHeld(own);
  const isMet = isHeld && problems.length === 0 && isReached(bar, ratio);
  const limit = bar.kind === 'atLeast' ? 'at least' : 'at most';
  return {
    row: bar.row,
    what: bar.what,
    bar: bar.ratio === undefined ? 'recorded' : `${limit} ${bar.ratio} x`,
    measured: parts.join('; '),
    met: bar.ratio === undefined ? undefined : isMet,
    ...(problems.length > 0 ? { partial: problems.join('; ') } : {}),
    numbers: { ...(Number.isNaN(ratio) ? {} : { ratio }), ...flat(ofWorkload) },
  };
}

/** Of those that count, have been measured, and held the rate if one was asked for. */
function bestRival(
  { isRival, kind }: Bar,
  rows: readonly BenchRow[],
  { of }: Quantity,
): BenchRow | undefined {
  let best: { readonly row: BenchRow; readonly value: number } | undefined;
  for (const row of rows) {
    if (row.numbers === undefined || !isRival(row.subject) || !isRateHeld(row)) continue;
    const value = of(row.numbers);
    const isBetter =
      kind === 'atLeast' ? value > (best?.value ?? 0) : value < (best?.value ?? Infinity);
    if (isBetter) best = { row, value };
  }
  return best?.row;
}

/** Why a row is not whole; nothing when it is. */
export function partialText({ subject, end, problem }: BenchRow): readonly string[] {
  if (end === 'died') return [`${subject} died: ${problem ?? 'no answer'}`];
  return end === 'interrupted' ? [`${subject} was interrupted`] : [];
}

export function isMemgrid({ subject }: { readonly subject: string }): boolean {
  return subject.startsWith('memgrid');
}

export function isRedis(subject: string): boolean {
  return subject.startsWith('Redis');
}

function isReached({ kind, ratio: bar = Number.NaN }: Bar, ratio: number): boolean {
  return kind === 'atLeast' ? ratio >= bar : ratio <= bar;
}

/** `Redis (ioredis) 155,000 (150,100–158,400) a second`, and what is wrong with it. */
function figures(row: BenchRow, quantity: Quantity): string {
  const { subject, numbers, end, problem } = row;
  if (numbers === undefined) {
    return `${subject} ${end === 'died' ? `died: ${problem}` : 'was not measured'}`;
  }
  const { min, max } = quantity.range(numbers);
  const spread = numbers.rounds > 1 ? ` (${quantity.text(min)}–${quantity.text(max)})` : '';
  const { perSecond, failed } = numbers;
  return [
    `${subject} ${quantity.text(quantity.of(numbers))}${spread} ${quantity.unit}`,
    ...(isRateHeld(row) ? [] : [`did not hold the rate: ${PER_SECOND.text(perSecond)} a second`]),
    ...(failed === 0 ? [] : [`${failed.toLocaleString('en-US')} failed`]),
    ...(end === 'died' ? [`died: ${problem}`] : []),
  ].join(', ');
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
