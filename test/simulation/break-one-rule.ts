import { breakRule } from '@memgrid/core/testing';
import type { BreakableRule } from '@memgrid/core/testing';
import { simulate } from '@memgrid/simulator';
import { HUNTS } from './hunts.ts';

/**
 * Breaks one rule in this process and looks for the first seed that shows it.
 *
 * Runs with `--conditions=memgrid-breaks`, in which alone rules can be broken:
 * `node --conditions=memgrid-breaks --conditions=memgrid-source break-one-rule.ts RULE [SEEDS]`.
 * Prints one JSON object; exits 0 when the break was found, 1 when it was not.
 */
const rule = process.argv[2] as BreakableRule;
const seedsMax = Number(process.argv[3] ?? 200);
const hunt = HUNTS[rule];
breakRule(rule);
let found: unknown;
let seeds = 0;
let simulatedMs = 0;
while (found === undefined && seeds < seedsMax) {
  seeds += 1;
  const report = simulate({ ...hunt.day, seed: seeds, timeline: false });
  simulatedMs += report.simulatedMs;
  const { shownBy } = hunt;
  found = report.violations.find(({ checker }) => shownBy?.includes(checker) ?? true);
}
process.stdout.write(`${JSON.stringify({ rule, seeds, simulatedMs, found: found ?? null })}\n`);
process.exitCode = found === undefined ? 1 : 0;
