import { counted } from '../progress/progress-bar.ts';
import type { BenchReport } from './bench-report.ts';
import { reportColumns } from './report-cells.ts';

/** A report as Markdown: what was measured where, then one table. */
export function markdownReport(report: BenchReport): string {
  const { title, partial, rows, missing, configuration } = report;
  const settings = Object.entries(configuration)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${shown(value)}`);
  return [
    `## ${title}${partial ? ' (partial)' : ''}`,
    '',
    ...markdownTable(rows, missing),
    '',
    `Medians over the rounds, latencies in milliseconds, processor time in microseconds for each operation.`,
    '',
    `- ${machineText(report)}`,
    `- ${versionsText(report)}`,
    `- ${settings.join(', ')}`,
    '',
  ].join('\n');
}

/** The table alone. */
export function markdownTable(
  rows: BenchReport['rows'],
  missing: BenchReport['missing'],
): readonly string[] {
  const columns = reportColumns(rows);
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  return [
    line(columns.map(({ title }) => title)),
    `|${columns.map(({ align }) => (align === 'right' ? '---:' : '---')).join('|')}|`,
    ...rows.map((row) => line(columns.map(({ cell }) => cell(row)))),
    ...missing.map(({ subject, reason }) => {
      const [, , first, ...rest] = columns.map(() => '');
      return line(['', subject, first === undefined ? '' : reason, ...rest]);
    }),
  ];
}

/** `2 x AMD EPYC, 24 GiB, Linux 6.1`. */
export function machineText({ machine }: BenchReport): string {
  const gibibytes = Math.round(machine.memoryBytes / 2 ** 30);
  return `${machine.cores} x ${machine.cpu}, ${gibibytes} GiB, ${machine.system}`;
}

/** `memgrid 0.1.0 (1a2b3c4), Node 24.21.0, 2026-05-08 13:56 UTC`, and the subjects'. */
export function versionsText({ versions, commit, at, rows }: BenchReport): string {
  const own = `memgrid ${versions.memgrid}${commit === null ? '' : ` (${commit})`}`;
  const others = [...new Set(rows.map(({ version }) => version))].filter(
    (version) => version !== `memgrid ${versions.memgrid}`,
  );
  const when = `${at.slice(0, 16).replace('T', ' ')} UTC`;
  return [own, ...others, `Node ${versions.node}`, when].join(', ');
}

function shown(value: string | number | boolean | null): string {
  return typeof value === 'number' ? counted(value) : String(value);
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
