import type { GroupConfig, LogIndex, NodeId } from '@memgrid/protocol';
import { broken } from '#breaks';

/** How an election stands. */
export type VoteResult = 'won' | 'lost' | 'pending';

/**
 * The greatest value that a majority has reached: of the voters, and during a joint
 * configuration of the outgoing voters as well (Raft paper, section 6).
 *
 * Without voters nothing is ever reached: the answer is 0.
 */
export function quorumValue(config: GroupConfig, valueOf: (id: NodeId) => number): number {
  return reached(config, valueOf, (count) => Math.floor(count / 2) + 1);
}

/** The last index that is durable at a quorum. See DESIGN.md, E9. */
export function quorumIndex(config: GroupConfig, matchOf: (id: NodeId) => LogIndex): LogIndex {
  const needed = broken('raft.majority-commits')
    ? (count: number) => Math.max(1, Math.floor(count / 2))
    : (count: number) => Math.floor(count / 2) + 1;
  return reached(config, matchOf, needed) as LogIndex;
}

/** @param votes true: granted, false: refused; nodes that are no voters do not count. */
export function voteResult(config: GroupConfig, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const granted = quorumValue(config, (id) => (votes.get(id) === true ? 1 : 0));
  if (granted === 1) return 'won';
  const possible = quorumValue(config, (id) => (votes.get(id) === false ? 0 : 1));
  return possible === 1 ? 'pending' : 'lost';
}

function reached(
  config: GroupConfig,
  valueOf: (id: NodeId) => number,
  needed: (count: number) => number,
): number {
  if (config.voters.length === 0) return 0;
  const incoming = majorityValue(config.voters, valueOf, needed);
  if (broken('raft.joint-consensus') || config.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(config.votersOutgoing, valueOf, needed));
}

function majorityValue(
  voters: readonly NodeId[],
  valueOf: (id: NodeId) => number,
  needed: (count: number) => number,
): number {
  const values = voters.map(valueOf).sort((a, b) => b - a);
  return values[needed(values.length) - 1] ?? 0;
}
