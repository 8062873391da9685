import type { ShardConfig } from '@memgrid/protocol';
import type { Decision } from './decision.ts';
import { bestPrimary, successor } from './fail-over.ts';
import { PLANNER } from './planner-config.ts';
import type { FailOverReason } from './planner-io.ts';
import type { RoundContext } from './round-context.ts';

export interface HandoverOptions {
  /** Everything has been healthy for long enough to move primaries for balance alone. */
  readonly settled: boolean;
  readonly isTaken: (config: ShardConfig) => boolean;
}

/**
 * Primaries that change hands although they could go on: off draining members, and back to where
 * placement wants them. Only a few at a time do not serve for that reason.
 */
export function handovers(context: RoundContext, options: HandoverOptions): readonly Decision[] {
  const { configs, now, reports, tracks } = context;
  const serves = (config: ShardConfig): boolean =>
    reports.current(config)?.active === true && tracks.underWay(now, config.shard) === undefined;
  const idle = configs.filter((config) => !serves(config)).length;
  let left = PLANNER.handoversMax - idle;
  const decisions: Decision[] = [];
  for (const config of configs) {
    if (left <= 0) break;
    if (config.stage !== 'stable' || options.isTaken(config)) continue;
    const decision = handoverOf(context, config, options.settled);
    if (decision === undefined) continue;
    decisions.push(decision);
    left -= 1;
  }
  return decisions;
}

function handoverOf(
  context: RoundContext,
  config: ShardConfig,
  settled: boolean,
): Decision | undefined {
  const { census, reports, target } = context;
  const report = reports.current(config);
  if (report?.active !== true) return undefined;
  const canTakeOver = config.replicas.filter(
    (node) =>
      node !== config.primary &&
      report.caughtUp.includes(node) &&
      census.isSteady(node) &&
      !census.isDraining(node),
  );
  const to = (primary: ShardConfig['primary'], reason: FailOverReason): Decision => ({
    config: successor(context, config, { primary }),
    cause: { name: 'shard.failedOver', reason },
  });
  if (census.isDraining(config.primary)) {
    const best = bestPrimary(context, config, canTakeOver);
    return best === undefined ? undefined : to(best, 'draining');
  }
  const wanted = target?.[config.shard]?.primary;
  if (!settled || wanted === undefined || !canTakeOver.includes(wanted)) return undefined;
  return to(wanted, 'balance');
}
