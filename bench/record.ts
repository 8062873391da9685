import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { markdownReport, svgPlot, type BenchReport } from 'memgrid/bench';
import type { Measurement } from './measurement.ts';

/** Every row, in the order of the table. */
export const ROWS = [
  'false-deaths',
  'detection',
  'gossip',
  'fail-over',
  'swarm',
  'speed',
  'dev-start',
  'entries-1m',
  'restart-100k',
  'write-gap-after-kill',
  'set-under-kills',
  'session-under-kills',
  'register-under-kills',
  'join-100k',
  'throughput-one-node',
  'throughput-three-nodes',
  'throughput-disk',
  'throughput-open-loop',
  'throughput-near-cache',
  'throughput-scaling',
  'throughput-workloads',
  'throughput-workloads-three',
  'throughput-sizes',
  'throughput-mem0',
] as const;

export type RowName = (typeof ROWS)[number];

/** Why a row is not whole; undefined when it is. */
export function partialOf(rows: readonly Measurement[]): string | undefined {
  const problems = new Set(rows.flatMap(({ partial }) => partial ?? []));
  return problems.size === 0 ? undefined : [...problems].join('; ');
}

/**
 * One file a row, so that measuring one again leaves the others as they were.
 *
 * @throws Error when it is partial: numbers of a system that died must not stand for it.
 */
export function record(name: string, rows: readonly Measurement[]): void {
  const partial = partialOf(rows);
  if (partial !== undefined) throw new Error(`${name} is partial and is not recorded: ${partial}`);
  const folder = new URL('./baselines/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const { report } of rows) if (report !== undefined) writeReport(report);
  const date = new Date().toISOString();
  const plain = rows.map(({ report: _, ...row }) => row);
  const baseline = { commit: commit(), date, machine: machine(), rows: plain };
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(baseline, undefined, 2)}\n`);
  const readme = new URL('./README.md', import.meta.url);
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8')));
}

/** Every client under every load: as JSON, as a table and as a picture. */
function writeReport(report: BenchReport): void {
  const folder = new URL('./reports/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const name = report.title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(new URL(`${name}.md`, folder), markdownReport(report));
  writeFileSync(new URL(`${name}.svg`, folder), svgPlot(report));
}

interface Baseline {
  readonly commit: string;
  readonly date: string;
  readonly machine: string;
  readonly rows: readonly Measurement[];
}

const BEGIN = '<!-- measured: begin (written by `pnpm bench --record`) -->';
const END = '<!-- measured: end -->';

/** The text with the table of all baselines between its two marks. */
export function withTable(readme: string): string {
  const lines = ['| what | bar | measured | met | commit |', '|---|---|---|---|---|'];
  for (const row of ROWS) {
    const baseline = readBaseline(row);
    for (const { what, bar, measured, met } of baseline?.rows ?? []) {
      const verdict = met === undefined ? '—' : met ? 'yes' : '**no**';
      lines.push(`| ${what} | ${bar} | ${measured} | ${verdict} | ${baseline?.commit ?? ''} |`);
    }
  }
  const before = readme.slice(0, readme.indexOf(BEGIN) + BEGIN.length);
  const after = readme.slice(readme.indexOf(END));
  const machines = [...new Set(ROWS.map((row) => readBaseline(row)?.machine).filter(Boolean))];
  return `${before}\n${lines.join('\n')}\n\nMachine: ${machines.join('; ')}.\n${after}`;
}

/** What was recorded of a row last, or undefined. */
export function readBaseline(row: string): Baseline | undefined {
  const file = new URL(`./baselines/${row}.json`, import.meta.url);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Baseline;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Of the sources, `+changes` when they are not as committed. */
export function commit(): string {
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', '../packages').length > 0;
  return git('rev-parse', '--short', 'HEAD') + (changed ? '+changes' : '');
}

/** `2 x AMD EPYC, 24 GiB, Node 24.21.0`. */
export function machine(): string {
  const [first] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} x ${first?.model.trim() ?? 'unknown'}, ${gigabytes} GiB, Node ${process.versions.node}`;
}
