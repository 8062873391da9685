import { type GroupConfig, LIMITS, type NodeId } from '@memgrid/protocol';
import { invariant } from '../assert.ts';

/** What a node that belongs to no group yet believes about it. */
export const NOBODY: GroupConfig = { voters: [], votersOutgoing: [], learners: [] };

export function isVoter(config: GroupConfig, id: NodeId): boolean {
  return config.voters.includes(id) || config.votersOutgoing.includes(id);
}

export function isMember(config: GroupConfig, id: NodeId): boolean {
  return isVoter(config, id) || config.learners.includes(id);
}

export function isJoint(config: GroupConfig): boolean {
  return config.votersOutgoing.length > 0;
}

/** Everybody with a vote, each once, sorted. */
export function everyVoter(config: GroupConfig): readonly NodeId[] {
  if (!isJoint(config)) return config.voters;
  return sorted([...new Set([...config.voters, ...config.votersOutgoing])]);
}

/** Everybody in the group, each once, sorted. */
export function everyMember(config: GroupConfig): readonly NodeId[] {
  return sorted([...new Set([...everyVoter(config), ...config.learners])]);
}

/** The configuration that begins a change: joint when the voters differ. */
export function enterConfig(
  current: GroupConfig,
  voters: readonly NodeId[],
  learners: readonly NodeId[],
): GroupConfig {
  const next = wellFormed({
    voters: sorted(voters),
    votersOutgoing: [],
    learners: sorted(learners),
  });
  return sameIds(current.voters, next.voters) ? next : { ...next, votersOutgoing: current.voters };
}

/** The configuration that ends a joint one. A voter that becomes a learner is one from here on. */
export function leaveConfig(joint: GroupConfig): GroupConfig {
  return { ...joint, votersOutgoing: [] };
}

export function sameConfig(a: GroupConfig, b: GroupConfig): boolean {
  return (
    sameIds(a.voters, b.voters) &&
    sameIds(a.votersOutgoing, b.votersOutgoing) &&
    sameIds(a.learners, b.learners)
  );
}

function wellFormed(config: GroupConfig): GroupConfig {
  const { voters, learners } = config;
  const distinct = new Set([...voters, ...learners]);
  invariant(
    distinct.size === voters.length + learners.length,
    'A group configuration names each member once.',
  );
  invariant(
    voters.length >= 1 && voters.length <= LIMITS.votersMax,
    `A group has 1 to ${LIMITS.votersMax} voters, not ${voters.length}.`,
  );
  invariant(
    learners.length <= LIMITS.learnersMax,
    `A group has at most ${LIMITS.learnersMax} learners, not ${learners.length}.`,
  );
  return config;
}

function sameIds(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}

/** Ids are hex digits, so the default order (by UTF-16 unit) is the order of their bytes. */
function sorted(ids: readonly NodeId[]): readonly NodeId[] {
  return [...ids].sort();
}
