import { breakRule } from '@memgrid/core/testing';
import type { BreakableRule } from '@memgrid/core/testing';
import { runHuntedSeed } from './run-hunted-seed.ts';

/**
 * Breaks one rule in this process and looks for the first seed that shows it.
 *
 * Runs with `--conditions=memgrid-breaks`, in which alone rules can be broken:
 * `node --conditions=memgrid-breaks --conditions=memgrid-source break-one-rule.ts RULE [SEEDS]`.
 * Prints one JSON object; exits 0 when the break was found, 1 when it was not.
 */
const rule = process.argv[2] as BreakableRule;
const seedsMax = Number(process.argv[3] ?? 200);
breakRule(rule);
let found: unknown;
let seeds = 0;
let simulatedMs = 0;
while (found === undefined && seeds < seedsMax) {
  seeds += 1;
  const outcome = runHuntedSeed(rule, seeds);
  simulatedMs += outcome.simulatedMs;
  [found] = outcome.proofs;
}
process.stdout.write(`${JSON.stringify({ rule, seeds, simulatedMs, found: found ?? null })}\n`);
process.exitCode = found === undefined ? 1 : 0;
