import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Measurement } from './measurement.ts';

/** Rows in the order of the table. */
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
] as const;

/** One file a row, so that measuring one again leaves the others as they were. */
export function record(name: string, rows: readonly Measurement[]): void {
  const folder = new URL('./baselines/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const baseline = { commit: commit(), date: new Date().toISOString(), machine: machine(), rows };
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(baseline, undefined, 2)}\n`);
  const readme = new URL('./README.md', import.meta.url);
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8')));
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
      const verdict = met ? 'yes' : '**no**';
      lines.push(`| ${what} | ${bar} | ${measured} | ${verdict} | ${baseline?.commit ?? ''} |`);
    }
  }
  const before = readme.slice(0, readme.indexOf(BEGIN) + BEGIN.length);
  const after = readme.slice(readme.indexOf(END));
  const machines = [...new Set(ROWS.map((row) => readBaseline(row)?.machine).filter(Boolean))];
  return `${before}\n${lines.join('\n')}\n\nMachine: ${machines.join('; ')}.\n${after}`;
}

function readBaseline(row: string): Baseline | undefined {
  const file = new URL(`./baselines/${row}.json`, import.meta.url);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Baseline;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function commit(): string {
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', '../packages').length > 0;
  return git('rev-parse', '--short', 'HEAD') + (changed ? '+changes' : '');
}

function machine(): string {
  const [first] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} x ${first?.model.trim() ?? 'unknown'}, ${gigabytes} GiB, Node ${process.versions.node}`;
}
