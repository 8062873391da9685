import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { markdownReport } from 'memgrid/bench';
import type { Bench, Measurement } from './measurement.ts';
import { commit, machine, record } from './record.ts';
import { join100k } from './cluster/join.ts';
import { registerUnderKills, sessionUnderKills, setUnderKills } from './cluster/under-kills.ts';
import { writeGap } from './cluster/write-gap.ts';
import { devStart } from './processes/dev-start.ts';
import { entries1m } from './processes/entries-1m.ts';
import { restart100k } from './processes/restart-100k.ts';
import { withProfiles } from './profile/performance-page.ts';
import { profileText } from './profile/profile-text.ts';
import { profileAll, PROFILES } from './profile/profile.ts';
import { detection } from './simulated/detection.ts';
import { failOver } from './simulated/fail-over.ts';
import { falseDeaths } from './simulated/false-deaths.ts';
import { gossip } from './simulated/gossip.ts';
import { speed } from './simulated/speed.ts';
import { swarm } from './simulated/swarm.ts';
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

const USAGE = `pnpm bench [row ...] [--quick] [--record]
pnpm bench --profile [--quick] [--record]

  rows      ${BENCHES.map((bench) => bench.row).join(', ')}; all when none is named;
            the beginning of several names (throughput) stands for all of these
  --quick   a small sample: shows that it works, proves nothing
  --record  writes the numbers to bench/baselines, bench/reports and the table in bench/README.md;
            of a profile to docs/performance.md
  --profile CPU profiles of node and client under set and get, to bench/profiles, and what is in them
`;

const VERDICTS: Readonly<Record<string, string>> = {
  true: 'met    ',
  false: 'NOT MET',
  undefined: '       ',
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  if (values.profile) return await profile();
  const unknown = positionals.filter((name) => !BENCHES.some((bench) => isNamed(bench, name)));
  if (unknown.length > 0 || (values.quick && values.record)) {
    process.stderr.write(
      unknown.length > 0
        ? `There is no row ${unknown.join(', ')}.\n\n${USAGE}`
        : `A quick sample is not recorded.\n\n${USAGE}`,
    );
    return 2;
  }
  const chosen = BENCHES.filter(isChosen);
  let exitCode = 0;
  for (const bench of chosen) {
    try {
      await measure(bench);
    } catch (error) {
      // The others are not worse for it.
      process.stderr.write(`  ${bench.row} failed: ${(error as Error).stack ?? String(error)}\n`);
      exitCode = 1;
    }
    if (isInterrupted()) {
      process.stdout.write(
        'Interrupted: the numbers above are partial, and nothing is recorded.\n',
      );
      return 130;
    }
  }
  return exitCode;
}

async function measure(bench: Bench): Promise<void> {
  const startedMs = performance.now();
  const rows = await bench.run(values.quick ? 'quick' : 'full', (text) =>
    process.stderr.write(`  ${bench.row}: ${text}\n`),
  );
  for (const row of rows) process.stdout.write(textOf(row));
  const tookMs = performance.now() - startedMs;
  process.stderr.write(`  ${bench.row} took ${(tookMs / 1000).toFixed(0)} s\n`);
  if (values.record && !isInterrupted()) record(bench.row, rows);
}

async function profile(): Promise<number> {
  const effort = values.quick ? 'quick' : 'full';
  const profiled = await profileAll(effort, (text) => process.stderr.write(`  ${text}\n`));
  const text = profiled.map(profileText).join('\n');
  process.stdout.write(text);
  writeFileSync(new URL('summary.md', PROFILES), text);
  process.stderr.write(`  written to ${fileURLToPath(PROFILES)}\n`);
  if (isInterrupted()) return 130;
  if (values.record) {
    const page = new URL('../docs/performance.md', import.meta.url);
    const on = { commit: commit(), machine: machine(), date: new Date().toISOString() };
    writeFileSync(page, withProfiles(readFileSync(page, 'utf8'), profiled, on));
  }
  return 0;
}

function isChosen(bench: Bench): boolean {
  if (values.quick && bench.onlyWhenNamed === true) return positionals.includes(bench.row);
  return positionals.length === 0 || positionals.some((name) => isNamed(bench, name));
}

function isNamed({ row }: Bench, name: string): boolean {
  return row === name || row.startsWith(`${name}-`);
}

function textOf({ met, what, bar, measured, report }: Measurement): string {
  const verdict = values.quick ? 'sample ' : VERDICTS[String(met)];
  const table = report === undefined ? '' : `\n${markdownReport(report)}\n`;
  return `${table}${verdict} ${what}\n        bar ${bar}; measured ${measured}\n`;
}

if (values.help) process.stdout.write(USAGE);
else process.exitCode = await main();
