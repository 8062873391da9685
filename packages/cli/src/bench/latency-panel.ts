import type { LatencyMs } from './load-result.ts';
import type { BenchRow } from './rounds.ts';
import { line, path, text } from './svg-shapes.ts';

export interface PanelPlace {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const PERCENTILES: readonly { readonly name: keyof LatencyMs; readonly title: string }[] = [
  { name: 'p50', title: 'p50' },
  { name: 'p90', title: 'p90' },
  { name: 'p99', title: 'p99' },
  { name: 'p999', title: 'p99.9' },
  { name: 'max', title: 'max' },
];

/** Below a microsecond nothing is told apart by looking. */
const MS_MIN = 0.001;
const GRID = '#e6e9ee';
const MUTED = '#5f6b7a';

/** The percentiles of every row, one line each. The scale is logarithmic: tails are far out. */
export function latencyPanel(
  place: PanelPlace,
  rows: readonly BenchRow[],
  colours: ReadonlyMap<string, string>,
): string {
  const measured = rows.flatMap(({ subject, numbers }) => {
    if (numbers === undefined || numbers.latencyMs.max === 0) return [];
    const { latencyMs } = numbers;
    return [{ subject, values: PERCENTILES.map(({ name }) => Math.max(MS_MIN, latencyMs[name])) }];
  });
  const values = measured.flatMap((row) => row.values);
  if (values.length === 0) return '';
  const decades = decadesAround(Math.min(...values), Math.max(...values));
  const xOf = (at: number): number =>
    place.left + ((place.right - place.left) * (at + 0.5)) / PERCENTILES.length;
  const yOf = yScale(place, decades);
  const { left, right, bottom } = place;
  return [
    ...decades.map((ms) => {
      const y = yOf(ms);
      const label = text({ x: left - 8, y: y + 4, anchor: 'end', fill: MUTED }, unitText(ms));
      return `${line({ x1: left, y1: y, x2: right, y2: y, stroke: GRID })}\n${label}`;
    }),
    ...PERCENTILES.map(({ title }, at) =>
      text({ x: xOf(at), y: bottom + 18, anchor: 'middle', fill: MUTED }, title),
    ),
    ...measured.map((row) =>
      path(
        row.values.map((ms, at) => [xOf(at), yOf(ms)] as const),
        colours.get(row.subject) ?? MUTED,
      ),
    ),
  ].join('\n');
}

/** Powers of ten from below the least to above the most, two at least. */
function decadesAround(least: number, most: number): readonly number[] {
  const low = Math.floor(Math.log10(least));
  const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
  return Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at));
}

function yScale({ top, bottom }: PanelPlace, decades: readonly number[]): (ms: number) => number {
  const low = Math.log10(decades[0] ?? 1);
  const high = Math.log10(decades.at(-1) ?? 10);
  return (ms) => bottom - ((bottom - top) * (Math.log10(ms) - low)) / (high - low);
}

function unitText(ms: number): string {
  if (ms >= 1_000) return `${Math.round(ms / 1_000)} s`;
  return ms >= 1 ? `${Math.round(ms)} ms` : `${Math.round(ms * 1_000)} µs`;
}
