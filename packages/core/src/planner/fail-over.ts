import { broken } from '#breaks';
import type { Generation, NodeId, ShardConfig } from '@memgrid/protocol';
import { servingSet, writeSets } from '../control/shard-sets.ts';
import type { Decision } from './decision.ts';
import { PLANNER } from './planner-config.ts';
import type { FailOverReason, StuckReason } from './planner-io.ts';
import type { RoundContext } from './round-context.ts';

/** What a shard without a working primary gets. */
export type Rescue =
  | { readonly kind: 'decision'; readonly decision: Decision }
  | { readonly kind: 'stuck'; readonly reason: StuckReason }
  /** Something is wrong, and waiting is right. */
  | { readonly kind: 'wait' };

const WAIT: Rescue = { kind: 'wait' };

/** Undefined: the primary is as it should be. */
export function rescue(context: RoundContext, config: ShardConfig): Rescue | undefined {
  const { census } = context;
  const reason = problemOf(context, config);
  if (reason === undefined) return undefined;
  if (reason === 'restarted') return rename(context, config);
  if (writeSets(config).every((set) => mayDecideFor(context, set))) {
    return replacePrimary(context, config, reason);
  }
  const retreat = config.stage === 'dual' && mayDecideFor(context, config.replicas);
  if (retreat) return rollBack(context, config);
  const hopeless = writeSets(config).some((set) => !census.mayHaveMajority(set));
  return hopeless ? { kind: 'stuck', reason: 'noMajority' } : WAIT;
}

/** The one who leads from now on; `epoch` and the rest of `change` follow from `config`. */
export function successor(
  { census, tally }: Pick<RoundContext, 'census' | 'tally'>,
  config: ShardConfig,
  change: Pick<ShardConfig, 'primary'> & Partial<ShardConfig>,
): ShardConfig {
  const primaryGeneration = census.registered(change.primary)?.generation ?? (0 as Generation);
  tally.move(config.primary, change.primary);
  return { ...config, primaryGeneration, ...change, epoch: config.epoch + 1 };
}

/** The best of `set` to lead: caught up, staying, steady, with the fewest shards to lead. */
export function bestPrimary(
  context: RoundContext,
  config: ShardConfig,
  set: readonly NodeId[],
): NodeId | undefined {
  const { census, reports, tally } = context;
  const known = reports.last(config.shard)?.caughtUp ?? [];
  const rank = (node: NodeId): number =>
    (known.includes(node) ? 0 : 4) +
    (census.isDraining(node) ? 2 : 0) +
    (census.isSteady(node) ? 0 : 1);
  return set
    .filter((node) => census.isPresent(node))
    .toSorted(
      (a, b) => rank(a) - rank(b) || tally.count(a) - tally.count(b) || (a < b ? -1 : 1),
    )[0];
}

function problemOf(context: RoundContext, config: ShardConfig): FailOverReason | undefined {
  const { census } = context;
  const { primary, primaryGeneration } = config;
  if (census.isGone(primary)) return 'gone';
  if (census.isLost(primary)) return 'dead';
  const generation = census.registered(primary)?.generation;
  if (generation !== primaryGeneration && !broken('planner.generation-mismatch-bumps')) {
    return 'restarted';
  }
  return isIdle(context, config) ? 'inactive' : undefined;
}

/** Alive, reporting, and yet not serving this shard: it may not reach those that it needs. */
function isIdle({ census, now, reports, tracks }: RoundContext, config: ShardConfig): boolean {
  if (now - tracks.since(config.shard) < PLANNER.inactiveMs) return false;
  if (!census.isPresent(config.primary) || reports.current(config)?.active === true) return false;
  const heardAt = reports.heardAt(config.primary);
  return heardAt !== undefined && now - heardAt < PLANNER.inactiveMs;
}

/** Without a living majority the epoch would help nobody, and the other side may still serve. */
function mayDecideFor({ census }: RoundContext, set: readonly NodeId[]): boolean {
  return census.hasLiveMajority(set) || broken('planner.live-majority-for-failover');
}

/** The same node leads; its new life is named, so that it may activate. */
function rename(context: RoundContext, config: ShardConfig): Rescue {
  if (!context.census.isPresent(config.primary)) return WAIT;
  const cause = { name: 'shard.failedOver', reason: 'restarted' } as const;
  const next = successor(context, config, { primary: config.primary });
  return { kind: 'decision', decision: { config: next, cause } };
}

function replacePrimary(
  context: RoundContext,
  config: ShardConfig,
  reason: FailOverReason,
): Rescue {
  const others = servingSet(config).filter((node) => node !== config.primary);
  const primary = bestPrimary(context, config, others);
  if (primary === undefined) {
    // Alive in a generation that is about to be registered.
    if (others.some((node) => context.census.isAlive(node))) return WAIT;
    return { kind: 'stuck', reason: reason === 'inactive' ? 'notServing' : 'noCandidate' };
  }
  const cause = { name: 'shard.failedOver', reason } as const;
  return { kind: 'decision', decision: { config: successor(context, config, { primary }), cause } };
}

/** Every acknowledged write is in the old set as well, so a move may end where it began. */
function rollBack(context: RoundContext, config: ShardConfig): Rescue {
  const primary = bestPrimary(context, config, config.replicas);
  if (primary === undefined) return { kind: 'stuck', reason: 'noCandidate' };
  const change = { primary, stage: 'stable', next: [], session: 0 } as const;
  const cause = { name: 'move.rolledBack', reason: 'noMajority' } as const;
  return { kind: 'decision', decision: { config: successor(context, config, change), cause } };
}
