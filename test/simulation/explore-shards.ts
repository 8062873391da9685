import { parseArgs } from 'node:util';
import { breakRule } from '@memgrid/core/testing';
import type { BreakableRule } from '@memgrid/core/testing';
import {
  describeShardFault,
  drawShardDay,
  productionShards,
  renderShardTrace,
  runShardDay,
  shrinkShardDay,
} from '@memgrid/simulator';
import type { ShardDayPlan, ShardDayReport } from '@memgrid/simulator';
import { SHARD_HUNTS } from './shard-hunts.ts';

/**
 * Asks the replication of shards many questions:
 *
 *     node --conditions=memgrid-source test/simulation/explore-shards.ts --count 1000
 *     node --conditions=memgrid-source test/simulation/explore-shards.ts --first 17 --shrink
 *     node --conditions=memgrid-source test/simulation/explore-shards.ts --first 17 --trace
 *
 * `--hunt RULE` takes the days of that rule's hunt, and `--break RULE` also breaks it, which needs
 * `--conditions=memgrid-breaks`. Prints one JSON object at the end;
 * exits 1 when a seed failed.
 */
const { values } = parseArgs({
  options: {
    first: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    /** Stops after so many failed seeds. */
    failures: { type: 'string', default: '10' },
    trace: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    /** Days of the kind in which this rule is hunted. */
    hunt: { type: 'string' },
    break: { type: 'string' },
  },
});

if (values.break !== undefined) breakRule(values.break as BreakableRule);
const hunt = SHARD_HUNTS[(values.hunt ?? values.break ?? '') as BreakableRule];
const first = Number(values.first);
const failuresMax = Number(values.failures);
const started = performance.now();
const totals = { answered: 0, refused: 0, unknown: 0, epochs: 0, simulatedMs: 0 };
const events: Record<string, number> = {};
const failed: number[] = [];
let seeds = 0;

for (let seed = first; seed < first + Number(values.count); seed += 1) {
  const plan = drawShardDay(seed, hunt?.tuning);
  const report = run(seed, plan, values.trace);
  seeds += 1;
  totals.answered += report.calls.answered;
  totals.refused += report.calls.failed;
  totals.unknown += report.calls.unknown;
  totals.epochs += report.epochs;
  totals.simulatedMs += report.simulatedMs;
  for (const [name, count] of Object.entries(report.events)) {
    events[name] = (events[name] ?? 0) + count;
  }
  const [violation] = report.violations;
  if (violation === undefined) continue;
  failed.push(seed);
  const { atMs, checker, message, node } = violation;
  print(`seed ${seed}: ${checker} at ${atMs} ms ${node ?? ''}: ${message}`);
  if (values.shrink) showShrunk(seed, plan, checker);
  if (failed.length >= failuresMax) break;
}

const seconds = (performance.now() - started) / 1000;
const seedsPerMinute = Math.round((seeds / seconds) * 60);
print(JSON.stringify({ seeds, seedsPerMinute, failed, ...totals, events }));
process.exitCode = failed.length > 0 ? 1 : 0;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function run(seed: number, plan: ShardDayPlan, traced: boolean): ShardDayReport {
  return runShardDay({
    seed,
    plan,
    shards: productionShards,
    ...(traced ? { trace: (line) => print(renderShardTrace(line)) } : {}),
  });
}

function showShrunk(seed: number, plan: ShardDayPlan, checker: string): void {
  const smallest = shrinkShardDay(plan, (candidate) =>
    run(seed, candidate, false).violations.some((violation) => violation.checker === checker),
  );
  run(seed, smallest, true);
  print(JSON.stringify({ seed, plan: smallest }));
  for (const fault of smallest.faults) print(describeShardFault(fault));
}
