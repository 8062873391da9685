import { parseArgs } from 'node:util';
import type { Bench, Measurement } from './measurement.ts';
import { record } from './record.ts';
import { join100k } from './cluster/join.ts';
import { registerUnderKills, sessionUnderKills, setUnderKills } from './cluster/under-kills.ts';
import { writeGap } from './cluster/write-gap.ts';
import { devStart } from './processes/dev-start.ts';
import { entries1m } from './processes/entries-1m.ts';
import { restart100k } from './processes/restart-100k.ts';
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
  entries1m,
  restart100k,
  writeGap,
  setUnderKills,
  sessionUnderKills,
  registerUnderKills,
  join100k,
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

if (values.help) process.stdout.write(USAGE);
else process.exitCode = await main();
