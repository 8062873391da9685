import { counted } from '../progress/progress-bar.ts';
import { isRateHeld } from './rate-held.ts';
import type { BenchRow } from './rounds.ts';

/** A column of a report, for people. */
export interface ReportColumn {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** May be left out where there is no room. */
  readonly spare?: boolean;
  readonly cell: (row: BenchRow) => string;
}

/** What is shown of a row, on a terminal and in Markdown alike. Latencies are in milliseconds. */
export function reportColumns(rows: readonly BenchRow[]): readonly ReportColumn[] {
  const hasServers = rows.some(({ numbers }) => numbers?.serverCpuUs !== undefined);
  const hasWatch = rows.some(({ numbers }) => numbers?.watch !== undefined);
  const hasFailed = rows.some(({ numbers }) => (numbers?.failed ?? 0) > 0);
  const hasNote = rows.some((row) => noteOf(row) !== '');
  return [
    { title: 'workload', align: 'left', cell: planText },
    { title: 'subject', align: 'left', cell: ({ subject }) => subject },
    number('per second', ({ numbers }) => numbers && wholeText(numbers.perSecond)),
    spare(number('range', ({ numbers }) => numbers && rangeText(numbers.perSecondRange))),
    number('p50 ms', ({ numbers }) => numbers && msText(numbers.latencyMs.p50)),
    spare(number('p90', ({ numbers }) => numbers && msText(numbers.latencyMs.p90))),
    number('p99', ({ numbers }) => numbers && msText(numbers.latencyMs.p99)),
    spare(number('p99.9', ({ numbers }) => numbers && msText(numbers.latencyMs.p999))),
    spare(number('max', ({ numbers }) => numbers && msText(numbers.latencyMs.max))),
    spare(number('client µs', ({ numbers }) => numbers && microText(numbers.clientCpuUs))),
    ...(hasServers ? [number('servers µs', serverText)] : []),
    ...(hasWatch ? WATCH_COLUMNS : []),
    ...(hasFailed ? [number('failed', ({ numbers }) => numbers && wholeText(numbers.failed))] : []),
    ...(hasNote ? [{ title: 'note', align: 'left' as const, cell: noteOf }] : []),
  ];
}

const WATCH_COLUMNS: readonly ReportColumn[] = [
  number(
    'heard/s',
    ({ numbers }) => numbers?.watch && wholeText(numbers.watch.deliveriesPerSecond),
  ),
  number('lag p50', ({ numbers }) => numbers?.watch && msText(numbers.watch.lagMs.p50)),
  number('lag p99', ({ numbers }) => numbers?.watch && msText(numbers.watch.lagMs.p99)),
  number('missed', ({ numbers }) => numbers?.watch && wholeText(numbers.watch.missing)),
];

function number(title: string, cell: (row: BenchRow) => string | undefined): ReportColumn {
  return { title, align: 'right', cell: (row) => cell(row) ?? '' };
}

function spare(column: ReportColumn): ReportColumn {
  return { ...column, spare: true };
}

/** `set, 256 in flight`; `mix, 20,000/s`. */
export function planText({ plan: { workload, loop }, numbers }: BenchRow): string {
  const watchers = numbers?.watch === undefined ? '' : `, ${numbers.watch.watchers} watchers`;
  const how =
    loop.kind === 'closed' ? `${counted(loop.inFlight)} in flight` : `${counted(loop.rate)}/s`;
  return `${workload}, ${how}${watchers}`;
}

/** Why a row is less than it should be; empty when it is whole. */
export function noteOf(row: BenchRow): string {
  const { end, problem, numbers } = row;
  switch (end) {
    case 'notOffered':
      return 'not offered';
    case 'died':
      return `partial: it died (${problem ?? 'no answer'})`;
    case 'interrupted':
      return numbers === undefined ? 'interrupted before it' : 'partial: interrupted';
    case 'complete':
      return isRateHeld(row) ? '' : 'the rate was not held';
  }
}

function serverText({ numbers }: BenchRow): string | undefined {
  return numbers?.serverCpuUs === undefined ? undefined : microText(numbers.serverCpuUs);
}

function wholeText(value: number): string {
  return counted(Math.round(value));
}

function rangeText({ min, max }: { readonly min: number; readonly max: number }): string {
  return min === max ? '' : `${wholeText(min)}–${wholeText(max)}`;
}

/** Three digits, as many as were measured. */
export function msText(ms: number): string {
  if (ms >= 100) return counted(Math.round(ms));
  if (ms >= 10) return ms.toFixed(1);
  return ms >= 1 ? ms.toFixed(2) : ms.toFixed(3);
}

function microText(us: number): string {
  return us >= 100 ? counted(Math.round(us)) : us.toFixed(1);
}
