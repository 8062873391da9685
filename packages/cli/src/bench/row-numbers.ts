import type { LatencyMs, LoadResult } from './load-result.ts';

/** Medians over the rounds of a row, and between which values they lie. */
export interface RowNumbers {
  /** Over how many rounds: those that were measured whole, or all when none was. */
  readonly rounds: number;
  readonly perSecond: number;
  readonly perSecondRange: Range;
  readonly latencyMs: LatencyMs;
  readonly p99MsRange: Range;
  readonly clientCpuUs: number;
  readonly serverCpuUs: number | undefined;
  /** Of all rounds together. */
  readonly failed: number;
  readonly watch: WatchNumbers | undefined;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface WatchNumbers {
  readonly watchers: number;
  readonly deliveriesPerSecond: number;
  readonly lagMs: LatencyMs;
  /** Of all rounds together. */
  readonly missing: number;
  readonly gaps: number;
}

/** Undefined when nothing was measured at all. */
export function numbersOf(rounds: readonly LoadResult[]): RowNumbers | undefined {
  const measured = rounds.filter(({ seconds }) => seconds > 0);
  const whole = measured.filter(({ end }) => end === 'complete');
  const used = whole.length > 0 ? whole : measured;
  if (used.length === 0) return undefined;
  const of = (value: (result: LoadResult) => number): readonly number[] => used.map(value);
  const serverUs = used.flatMap(({ serverCpuUs }) => serverCpuUs ?? []);
  return {
    rounds: used.length,
    perSecond: median(of(({ perSecond }) => perSecond)),
    perSecondRange: rangeOf(of(({ perSecond }) => perSecond)),
    latencyMs: medians(used.map(({ latencyMs }) => latencyMs)),
    p99MsRange: rangeOf(of(({ latencyMs }) => latencyMs.p99)),
    clientCpuUs: median(of(({ clientCpuUs }) => clientCpuUs)),
    serverCpuUs: serverUs.length === 0 ? undefined : median(serverUs),
    failed: sum(rounds.map(({ failed }) => failed)),
    watch: watchNumbers(used),
  };
}

function watchNumbers(used: readonly LoadResult[]): WatchNumbers | undefined {
  const watches = used.flatMap(({ watch }) => watch ?? []);
  const [first] = watches;
  if (first === undefined) return undefined;
  return {
    watchers: first.watchers,
    deliveriesPerSecond: median(watches.map((one) => one.deliveriesPerSecond)),
    lagMs: medians(watches.map(({ lagMs }) => lagMs)),
    missing: sum(watches.map(({ missing }) => missing)),
    gaps: sum(watches.map(({ gaps }) => gaps)),
  };
}

function medians(all: readonly LatencyMs[]): LatencyMs {
  const of = (name: keyof LatencyMs): number => median(all.map((one) => one[name]));
  return { p50: of('p50'), p90: of('p90'), p99: of('p99'), p999: of('p999'), max: of('max') };
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

function rangeOf(values: readonly number[]): Range {
  return { min: Math.min(...values), max: Math.max(...values) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
