import { plannerDay } from '@memgrid/core/testing';
import type { BreakableRule } from '@memgrid/core/testing';
import { drawShardDay, productionShards, runShardDay, simulate } from '@memgrid/simulator';
import type { Violation } from '@memgrid/simulator';
import { HUNTS } from './hunts.ts';
import { PLANNER_HUNTS } from './planner-hunts.ts';
import { SHARD_HUNTS } from './shard-hunts.ts';

/** What one seed of a hunt came to. */
export interface HuntedSeed {
  /** Violations that count as proof that the rule is broken. */
  readonly proofs: readonly Violation[];
  readonly simulatedMs: number;
}

/** Lives one day in which keeping `rule` matters: of a whole cluster, of shards or a planner alone. */
export function runHuntedSeed(rule: BreakableRule, seed: number): HuntedSeed {
  if (PLANNER_HUNTS.has(rule)) return runPlannerDay(seed);
  const among = SHARD_HUNTS[rule];
  const hunt = among ?? HUNTS[rule];
  if (hunt === undefined) throw new RangeError(`Nobody hunts for ${rule}.`);
  const { simulatedMs, violations } =
    among === undefined
      ? simulate({ ...withoutApplications(rule), ...HUNTS[rule]?.day, seed, timeline: false })
      : runShardDay({ seed, plan: drawShardDay(seed, among.tuning), shards: productionShards });
  const { shownBy } = hunt;
  return {
    proofs: violations.filter(({ checker }) => shownBy?.includes(checker) ?? true),
    simulatedMs,
  };
}

/** Rules about members and votes need no entries, and days without applications are much shorter. */
function withoutApplications(rule: BreakableRule): { readonly data?: undefined } {
  return rule.startsWith('session.') ? {} : { data: undefined };
}

function runPlannerDay(seed: number): HuntedSeed {
  const { problem, simulatedMs } = plannerDay(seed);
  if (problem === undefined) return { proofs: [], simulatedMs };
  return { proofs: [{ ...problem, atMs: simulatedMs, node: undefined }], simulatedMs };
}
