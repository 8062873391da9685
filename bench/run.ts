import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Bench, Measurement } from './measurement.ts';
import { devStart } from './processes/dev-start.ts';
import { detection } from './simulated/detection.ts';
import { failOver } from './simulated/fail-over.ts';
import { falseDeaths } from './simulated/false-deaths.ts';
import { gossip } from './simulated/gossip.ts';
import { speed } from './simulated/speed.ts';
import { swarm } from './simulated/swarm.ts';

const BENCHES: readonly Bench[] = [
  falseDeaths,
  detection,
  gossip,
  failOver,
  swarm,
  speed,
  devStart,
];

const USAGE = `pnpm bench [row ...] [--quick] [--record]

  rows      ${BENCHES.map((bench) => bench.row).join(', ')}; all when none is named
  --quick   a small sample: shows that it works, proves nothing
  --record  writes the numbers to bench/baselines and the table in bench/README.md
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(USAGE);
else process.exitCode = await main();

async function main(): Promise<number> {
  const unknown = positionals.filter((row) => !BENCHES.some((bench) => bench.row === row));
  if (unknown.length > 0 || (values.quick && values.record)) {
    process.stderr.write(
      unknown.length > 0
        ? `There is no row ${unknown.join(', ')}.\n\n${USAGE}`
        : `A quick sample is not recorded.\n\n${USAGE}`,
    );
    return 2;
  }
  const chosen = BENCHES.filter(
    (bench) => positionals.length === 0 || positionals.includes(bench.row),
  );
  for (const bench of chosen) {
    const startedMs = performance.now();
    const rows = await bench.run(values.quick ? 'quick' : 'full', (text) =>
      process.stderr.write(`  ${bench.row}: ${text}\n`),
    );
    for (const row of rows) process.stdout.write(lineOf(row));
    const tookMs = performance.now() - startedMs;
    process.stderr.write(`  ${bench.row} took ${(tookMs / 1000).toFixed(0)} s\n`);
    if (values.record) record(bench.row, rows);
  }
  return 0;
}

function lineOf(row: Measurement): string {
  const verdict = row.met ? 'met    ' : values.quick ? 'sample ' : 'NOT MET';
  return `${verdict} ${row.what}\n        bar ${row.bar}; measured ${row.measured}\n`;
}

/** One file a row, so that measuring one again leaves the others as they were. */
function record(name: string, rows: readonly Measurement[]): void {
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

function withTable(readme: string): string {
  const lines = ['| what | bar | measured | met | commit |', '|---|---|---|---|---|'];
  for (const { row } of BENCHES) {
    const baseline = readBaseline(row);
    for (const { what, bar, measured, met } of baseline?.rows ?? []) {
      const verdict = met ? 'yes' : '**no**';
      lines.push(`| ${what} | ${bar} | ${measured} | ${verdict} | ${baseline?.commit ?? ''} |`);
    }
  }
  const before = readme.slice(0, readme.indexOf(BEGIN) + BEGIN.length);
  const after = readme.slice(readme.indexOf(END));
  return `${before}\n${lines.join('\n')}\n\nMachine: ${machine()}.\n${after}`;
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
