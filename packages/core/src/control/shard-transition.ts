import { broken } from '#breaks';
import { LIMITS, type NodeId, type ShardConfig, type ShardStage } from '@memgrid/protocol';
import { isSameSet, servingSet } from './shard-sets.ts';

/** Which stage may follow which. After `switch` there is no way back: reads come from `next`. */
const NEXT_STAGES: Readonly<Record<ShardStage, readonly ShardStage[]>> = {
  stable: ['stable', 'admit'],
  admit: ['admit', 'dual', 'stable'],
  dual: ['dual', 'switch', 'stable'],
  switch: ['switch', 'stable'],
};

/**
 * Why `after` may not follow `before` as the configuration of a shard, in a sentence; undefined
 * when it may. Knows nothing of who is alive: whatever it allows is safe, wise or not.
 *
 * Safe means that every write quorum of `before` meets every write quorum of `after`, so that the
 * promise round of the new epoch hears of every acknowledged write. See DESIGN.md, C8.
 *
 * @param before undefined: the shard has no owner yet.
 */
export function shardTransition(
  before: ShardConfig | undefined,
  after: ShardConfig,
): string | undefined {
  if (!epochFollows(before, after)) {
    return `Epoch ${after.epoch} does not follow ${before?.epoch ?? 0}.`;
  }
  const malformed = problemOf(after);
  if (malformed !== undefined) return malformed;
  if (before !== undefined) return problemOfStep(before, after);
  return after.stage === 'stable' ? undefined : `A new shard cannot begin in "${after.stage}".`;
}

/** Compare and set: whoever decided on an older configuration than the stored one decided blindly. */
export function epochFollows(before: ShardConfig | undefined, after: ShardConfig): boolean {
  return after.epoch === (before?.epoch ?? 0) + 1 || broken('control.epoch-compare-and-set');
}

function problemOf(config: ShardConfig): string | undefined {
  const { next, primary, replicas, session, stage } = config;
  if (replicas.length === 0) return 'A shard needs a replica.';
  if (!areDistinct(replicas) || !areDistinct(next)) return 'A node is listed twice in one set.';
  if (Math.max(replicas.length, next.length) > LIMITS.replicasMax) {
    return `A shard has at most ${LIMITS.replicasMax} replicas.`;
  }
  const moving = stage !== 'stable';
  if (moving !== next.length > 0) return `In "${stage}" there is ${moving ? 'a' : 'no'} next set.`;
  if (moving !== session > 0) return `In "${stage}" there is ${moving ? 'a' : 'no'} session.`;
  if (servingSet(config).includes(primary)) return undefined;
  return `The primary ${primary} is not one of those who serve in "${stage}".`;
}

function problemOfStep(before: ShardConfig, after: ShardConfig): string | undefined {
  if (!NEXT_STAGES[before.stage].includes(after.stage)) {
    return `"${before.stage}" cannot be followed by "${after.stage}".`;
  }
  const kept =
    before.stage === 'switch' && after.stage === 'stable' ? before.next : before.replicas;
  if (!isSameSet(kept, after.replicas)) return 'Replicas change only at the end of a move.';
  if (after.stage === 'stable') return undefined;
  if (before.stage === 'stable') return problemOfBeginning(after);
  if (!isSameSet(before.next, after.next)) return 'A move cannot change where it leads.';
  if (before.session !== after.session) return 'A move keeps its session.';
  return undefined;
}

/** The epoch is new for the shard, so a session named after it is new as well. */
function problemOfBeginning(after: ShardConfig): string | undefined {
  if (isSameSet(after.replicas, after.next)) return 'The move would lead to where it begins.';
  if (after.session === after.epoch) return undefined;
  return `A move that begins in epoch ${after.epoch} is session ${after.epoch}.`;
}

function areDistinct(nodes: readonly NodeId[]): boolean {
  return nodes.every((node, i) => nodes.indexOf(node) === i);
}
