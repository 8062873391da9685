import { counted } from '../progress/progress-bar.ts';
import type { BenchReport } from './bench-report.ts';
import { latencyPanel } from './latency-panel.ts';
import { machineText, versionsText } from './markdown-report.ts';
import { msText, noteOf, planText } from './report-cells.ts';
import type { BenchRow } from './rounds.ts';
import { colourOf, escaped, line, rectangle, text } from './svg-shapes.ts';

const MARGIN = 24;
const BAND_TITLE = 34;
const BAND_MIN = 170;
const BAR = 22;
const BAR_STEP = 34;
/** With a line of text below the bar. */
const WATCH_STEP = 52;
const NAMES_WIDTH_MIN = 180;
/** Of a letter of 12 pixels, on the wide side: fonts differ, and nobody can be asked. */
const LETTER_WIDTH = 7.2;
const BARS_WIDTH = 276;
/** Room for the number after the longest bar. */
const NUMBERS_WIDTH = 70;
/** Room for what the lines of the scale are called. */
const SCALE_WIDTH = 90;
const LATENCY_WIDTH = 328;
const BAND_GAP = 22;
const LINE = 18;
const LINE_LETTERS_MAX = 140;

/** Where the columns are: the names of subjects have the room that the longest one needs. */
interface Columns {
  readonly barsLeft: number;
  readonly barsRight: number;
  readonly barsEnd: number;
  readonly latencyLeft: number;
  readonly latencyRight: number;
  readonly width: number;
}

function columnsFor(rows: readonly BenchRow[]): Columns {
  const letters = Math.max(0, ...rows.map(({ subject }) => subject.length));
  const barsLeft = MARGIN + Math.max(NAMES_WIDTH_MIN, Math.ceil(letters * LETTER_WIDTH) + 10);
  const barsRight = barsLeft + BARS_WIDTH;
  const barsEnd = barsRight + NUMBERS_WIDTH;
  const latencyLeft = barsEnd + SCALE_WIDTH;
  const latencyRight = latencyLeft + LATENCY_WIDTH;
  return {
    barsLeft,
    barsRight,
    barsEnd,
    latencyLeft,
    latencyRight,
    width: latencyRight + MARGIN + 8,
  };
}

/**
 * A report as a picture: for each load the throughput of every subject as a bar, with the range of its
 * rounds, and beside it the percentiles of its latency. Plain SVG, without scripts or fonts of its own.
 */
export function svgPlot(report: BenchReport): string {
  const { rows, title, partial, missing } = report;
  const colours = new Map([...new Set(rows.map(({ subject }) => subject))].map(colourOf));
  const bands = Map.groupBy(rows, planText);
  const columns = columnsFor(rows);
  const about = [machineText(report), ...broken(versionsText(report))];
  const parts: string[] = [
    text({ x: MARGIN, y: 34, size: 20, weight: 600 }, `${title}${partial ? ' (partial)' : ''}`),
    ...about.map((said, at) => text({ x: MARGIN, y: 54 + at * LINE, fill: MUTED }, said)),
  ];
  let top = 48 + about.length * LINE;
  for (const [plan, members] of bands) {
    const height = Math.max(BAND_MIN, BAND_TITLE + members.length * stepOf(members) + 40);
    parts.push(band({ plan, members, top, height, colours, columns }));
    top += height + BAND_GAP;
  }
  for (const { subject, reason } of missing) {
    parts.push(text({ x: MARGIN, y: top + 4, fill: MUTED }, `${subject}: ${reason}`));
    top += 20;
  }
  const { width } = columns;
  const height = top + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    rectangle({ x: 0, y: 0, width, height, fill: '#ffffff' }),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/** A list on several lines, broken where it has a comma. */
function broken(list: string): readonly string[] {
  const lines: string[] = [];
  for (const item of list.split(', ')) {
    const last = lines.at(-1);
    const longer = `${last}, ${item}`;
    if (last !== undefined && longer.length <= LINE_LETTERS_MAX) lines[lines.length - 1] = longer;
    else lines.push(item);
  }
  return lines;
}

const MUTED = '#5f6b7a';

interface Band {
  readonly plan: string;
  readonly members: readonly BenchRow[];
  readonly top: number;
  readonly height: number;
  readonly colours: ReadonlyMap<string, string>;
  readonly columns: Columns;
}

function band({ plan, members, top, height, colours, columns }: Band): string {
  const { barsEnd, latencyLeft: left, latencyRight: right, width } = columns;
  const panel = { left, right, top: top + BAND_TITLE, bottom: top + height - 28 };
  return [
    line({ x1: MARGIN, y1: top, x2: width - MARGIN, y2: top, stroke: '#d5dae1' }),
    text({ x: MARGIN, y: top + 22, size: 14, weight: 600 }, plan),
    text({ x: barsEnd, y: top + 22, anchor: 'end', fill: MUTED }, rateTitle(members)),
    text({ x: left, y: top + 22, fill: MUTED }, 'latency (logarithmic scale)'),
    bars({ members, top: top + BAND_TITLE, colours, columns }),
    latencyPanel(panel, members, colours),
  ].join('\n');
}

/** What the bars are, and what the thin lines on them. */
function rateTitle(members: readonly BenchRow[]): string {
  const hasRange = members.some(({ numbers }) => (numbers?.rounds ?? 0) > 1);
  return `operations a second${hasRange ? ' (median, range)' : ''}`;
}

function stepOf(members: readonly BenchRow[]): number {
  return members.some(({ numbers }) => numbers?.watch !== undefined) ? WATCH_STEP : BAR_STEP;
}

function bars({ members, top, colours, columns }: Omit<Band, 'plan' | 'height'>): string {
  const { barsLeft } = columns;
  const most = Math.max(1, ...members.map(({ numbers }) => numbers?.perSecondRange.max ?? 0));
  const xOf = (perSecond: number): number =>
    barsLeft + ((columns.barsRight - barsLeft) * perSecond) / most;
  return members
    .map((row, at) => {
      const y = top + at * stepOf(members);
      const middle = y + BAR / 2;
      const label = text(
        { x: barsLeft - 10, y: middle + 4, anchor: 'end', weight: 500 },
        row.subject,
      );
      return [
        label,
        bar(row, { y, left: barsLeft, xOf, fill: colours.get(row.subject) ?? MUTED }),
      ].join('\n');
    })
    .join('\n');
}

interface BarPlace {
  readonly y: number;
  readonly left: number;
  readonly xOf: (perSecond: number) => number;
  readonly fill: string;
}

function bar(row: BenchRow, { y, left, xOf, fill }: BarPlace): string {
  const { numbers } = row;
  const note = noteOf(row);
  const middle = y + BAR / 2;
  if (numbers === undefined) {
    return text({ x: left, y: middle + 4, fill: MUTED }, note === '' ? 'nothing' : note);
  }
  const { perSecond, perSecondRange } = numbers;
  const [from, to] = [xOf(perSecondRange.min), xOf(perSecondRange.max)];
  const stroke = '#1b2733';
  const ends = [from, to].map((x) =>
    line({ x1: x, y1: middle - 4, x2: x, y2: middle + 4, stroke }),
  );
  const range = [line({ x1: from, y1: middle, x2: to, y2: middle, stroke }), ...ends];
  const isPartial = row.end !== 'complete';
  const width = Math.max(1, xOf(perSecond) - left);
  const said = [counted(Math.round(perSecond)), ...(isPartial ? ['(partial)'] : [])].join(' ');
  return [
    rectangle({ x: left, y, width, height: BAR, fill, opacity: isPartial ? 0.45 : 1 }),
    ...(perSecondRange.min === perSecondRange.max ? [] : range),
    text({ x: Math.max(to, xOf(perSecond)) + 8, y: middle + 4 }, said),
    ...(numbers.watch === undefined ? [] : [heard(numbers.watch, { x: left, y: middle + 26 })]),
  ].join('\n');
}

function heard(
  watch: NonNullable<NonNullable<BenchRow['numbers']>['watch']>,
  place: { readonly x: number; readonly y: number },
): string {
  const { deliveriesPerSecond, lagMs, missing } = watch;
  const said = `${counted(Math.round(deliveriesPerSecond))} heard/s, lag ${msText(lagMs.p50)} ms (p99 ${msText(lagMs.p99)}), ${counted(missing)} missed`;
  return text({ ...place, fill: MUTED }, said);
}
