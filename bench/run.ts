import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { markdownReport } from 'memgrid/bench';
import type { Bench, Measurement } from './measurement.ts';
import { commit, machine, partialOf, record } from './record.ts';
import { join100k } from './cluster/join.ts';
import { registerUnderKills, sessionUnderKills, setUnderKills } from './cluster/under-kills.ts';
import { writeGap } from './cluster/write-gap.ts';
import { PortInUseError } from './peers/free-ports.ts';
import { devStart } from './processes/dev-start.ts';
import { entries1m } from './processes/entries-1m.ts';
import { restart100k } from './processes/restart-100k.ts';
import { flameGraphName, withProfiles } from './profile/performance-page.ts';
import { profileText } from './profile/profile-text.ts';
import { profileAll, PROFILES } from './profile/profile.ts';
import { detection } from './simulated/detection.ts';
import { failOver } from './simulated/fail-over.ts';
import { falseDeaths } from './simulated/false-deaths.ts';
import { gossip } from './simulated/gossip.ts';
import { speed } from './simulated/speed.ts';
import { swarm } from './simulated/swarm.ts';
import { removeLeftovers } from './temporary-directory.ts';
import { isInterrupted } from './throughput/interruption.ts';
import { mem0Surface } from './throughput/mem0-surface.ts';
import { nearCache } from './throughput/near-cache.ts';
import { onDisk } from './throughput/on-disk.ts';
import { oneNode } from './throughput/one-node.ts';
import { openRate } from './throughput/open-rate.ts';
import { scaling } from './throughput/scaling.ts';
import { sizes } from './throughput/sizes.ts';
import { threeNodes } from './throughput/three-nodes.ts';
import { workloads, workloadsThree } from './throughput/workloads.ts';

const BENCHES: readonly Bench[] = [
  falseDeaths,
  detection,
  gossip,
  failOver,
  swarm,
  speed,
  devStart,
  entries1m,
  restart100k,
  writeGap,
  setUnderKills,
  sessionUnderKills,
  registerUnderKills,
  join100k,
  oneNode,
  threeNodes,
  onDisk,
  openRate,
  nearCache,
  scaling,
  workloads,
  workloadsThree,
  sizes,
  mem0Surface,
];

const USAGE = `pnpm bench [row ...] [--quick | --record]
pnpm bench --profile [--quick | --record]

  rows      all when none is named; ${BENCHES.map(({ row }) => row).join(', ')};
            the beginning of several names (throughput) stands for all of these
  --quick   a small sample: shows that it works, proves nothing
  --record  writes the numbers to bench/baselines, bench/reports and the table in bench/README.md;
            of a profile to docs/performance.md, its flame graphs to bench/reports
  --profile CPU profiles and flame graphs of node and client under set and get, to bench/profiles,
            and what is in them

Exit codes: 0 every row was measured, whether or not its bar is met; 1 a row failed; 2 usage; 8 a row is
partial, because a system died: such a row is not recorded; 130 interrupted
`;

const VERDICTS: Readonly<Record<string, string>> = {
  true: 'met    ',
  false: 'NOT MET',
  undefined: '       ',
};

/** As in `memgrid --help`; 130 is what a shell says of an interrupt. */
const EXIT = { good: 0, failed: 1, usage: 2, partial: 8, interrupted: 130 } as const;
type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface Wishes {
  readonly rows: readonly string[];
  readonly quick: boolean;
  readonly record: boolean;
  readonly profile: boolean;
  readonly help: boolean;
}

/** @throws Error with what makes no sense. */
function wishes(): Wishes {
  const { values, positionals: rows } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = rows.filter((name) => !BENCHES.some((bench) => isNamed(bench, name)));
  if (unknown.length > 0) throw new Error(`There is no row ${unknown.join(', ')}.`);
  if (values.quick && values.record) throw new Error('A quick sample is not recorded.');
  if (values.profile && rows.length > 0) throw new Error('A profile is of no row.');
  return { ...values, rows };
}

async function main(): Promise<ExitCode> {
  let wanted: Wishes;
  try {
    wanted = wishes();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return EXIT.usage;
  }
  if (wanted.help) {
    process.stdout.write(USAGE);
    return EXIT.good;
  }
  for (const directory of removeLeftovers()) {
    process.stderr.write(`  removed ${directory}, which a killed run has left\n`);
  }
  return wanted.profile ? await profile(wanted) : await measureAll(wanted);
}

async function measureAll(wanted: Wishes): Promise<ExitCode> {
  const isChosen = (bench: Bench): boolean => {
    return wanted.rows.length === 0 || wanted.rows.some((name) => isNamed(bench, name));
  };
  const exitCodes = new Set<ExitCode>();
  for (const bench of BENCHES.filter(isChosen)) {
    try {
      exitCodes.add(await measure(bench, wanted));
    } catch (error) {
      // The others are not worse for it.
      process.stderr.write(`  ${bench.row} failed: ${failureText(error)}\n`);
      exitCodes.add(EXIT.failed);
    }
    if (isInterrupted()) {
      process.stdout.write(
        'Interrupted: the numbers above are partial, and those of this row are not recorded.\n',
      );
      return EXIT.interrupted;
    }
  }
  return [EXIT.failed, EXIT.partial].find((code) => exitCodes.has(code)) ?? EXIT.good;
}

/** Where it comes from matters only for what nobody expects. */
function failureText(error: unknown): string {
  if (error instanceof PortInUseError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function measure(bench: Bench, values: Wishes): Promise<ExitCode> {
  const startedMs = performance.now();
  const rows = await bench.run(values.quick ? 'quick' : 'full', (text) =>
    process.stderr.write(`  ${bench.row}: ${text}\n`),
  );
  for (const row of rows) process.stdout.write(textOf(row, values));
  const tookMs = performance.now() - startedMs;
  process.stderr.write(`  ${bench.row} took ${(tookMs / 1000).toFixed(0)} s\n`);
  const partial = partialOf(rows);
  if (partial !== undefined) {
    const refusal = values.record ? ' and is not recorded' : '';
    process.stderr.write(`  ${bench.row} is partial${refusal}: ${partial}\n`);
    return EXIT.partial;
  }
  if (values.record && !isInterrupted()) record(bench.row, rows);
  return EXIT.good;
}

async function profile(values: Wishes): Promise<ExitCode> {
  const effort = values.quick ? 'quick' : 'full';
  const profiled = await profileAll(effort, (text) => process.stderr.write(`  ${text}\n`));
  const text = profiled.map(profileText).join('\n');
  process.stdout.write(text);
  writeFileSync(new URL('summary.md', PROFILES), text);
  process.stderr.write(`  written to ${fileURLToPath(PROFILES)}\n`);
  if (isInterrupted()) return EXIT.interrupted;
  if (values.record) {
    const page = new URL('../docs/performance.md', import.meta.url);
    const on = { commit: commit(), machine: machine(), date: new Date().toISOString() };
    writeFileSync(page, withProfiles(readFileSync(page, 'utf8'), profiled, on));
    const reports = new URL('./reports/', import.meta.url);
    for (const { file } of profiled) {
      copyFileSync(new URL(`${file}.svg`, PROFILES), new URL(flameGraphName(file), reports));
    }
  }
  return EXIT.good;
}

function isNamed({ row }: Bench, name: string): boolean {
  return row === name || row.startsWith(`${name}-`);
}

function textOf({ met, what, bar, measured, report }: Measurement, { quick }: Wishes): string {
  const verdict = quick ? 'sample ' : VERDICTS[String(met)];
  const table = report === undefined ? '' : `\n${markdownReport(report)}\n`;
  return `${table}${verdict} ${what}\n        bar ${bar}; measured ${measured}\n`;
}

process.exitCode = await main();
