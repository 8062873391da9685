import { stripVTControlCharacters } from 'node:util';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be left out where the terminal is too narrow; the rightmost such column goes first. */
  readonly spare?: boolean;
}

/**
 * Rows under titles, as wide as their content: readable on a terminal and by `awk` when piped.
 * An empty cell shows as `-`, so that columns can be counted. Colours do not count as width.
 * Spare columns are left out until every line fits into `widthMax`, where a person looks at it.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  widthMax = Infinity,
): string {
  const text = wholeTable(columns, rows);
  const spare = columns.findLastIndex((column) => column.spare === true);
  const fits = text.split('\n').every((line) => widthOf(line) <= widthMax);
  if (fits || spare < 0) return text;
  const rest = <T>(all: readonly T[]): readonly T[] => all.filter((_, at) => at !== spare);
  return table(rest(columns), rows.map(rest), widthMax);
}

function wholeTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = [columns.map(({ title }) => title), ...rows].map((row) =>
    columns.map((_, at) => (row[at] === undefined || row[at] === '' ? '-' : row[at])),
  );
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => widthOf(row[at] ?? ''))));
  return cells
    .map((row) =>
      row
        .map((cell, at) => pad(cell, widths[at] ?? 0, columns[at]?.align ?? 'left'))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `name  value` lines, the values under each other. */
export function facts(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

function pad(cell: string, width: number, align: 'left' | 'right'): string {
  const filler = ' '.repeat(width - widthOf(cell));
  return align === 'left' ? cell + filler : filler + cell;
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
