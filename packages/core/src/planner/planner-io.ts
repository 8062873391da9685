import type { ControlCommand, NodeId, ShardId } from '@memgrid/protocol';
import type { MemberView } from '../membership/membership-io.ts';
import type { ControlView } from '../node-status.ts';

/** What a new cluster is created with; without effect once its shards exist. */
export interface FoundingShards {
  /** A power of two. */
  readonly shardCount: number;
  readonly replicationFactor: number;
}

/** What the coordinator knows when a round begins. */
export interface PlannerFacts {
  readonly control: ControlView;
  /** Gossip's view, this node included. */
  readonly members: readonly MemberView[];
  readonly founding: FoundingShards;
}

/** A command to propose, and what is told once it has committed. */
export interface PlannerProposal {
  readonly command: ControlCommand;
  readonly events: readonly PlannerEvent[];
}

export interface PlannerRound {
  readonly proposals: readonly PlannerProposal[];
  /** What is known now, whatever comes of the proposals. */
  readonly events: readonly PlannerEvent[];
}

export type FailOverReason =
  /** Gossip holds the primary for dead, or it said goodbye. */
  | 'dead'
  /** The primary left the cluster or was expelled. */
  | 'gone'
  /** The primary is another process by now: only the generation is named anew. */
  | 'restarted'
  /** The primary is alive but does not get to serve. */
  | 'inactive'
  | 'draining'
  /** Back to where placement wants it. */
  | 'balance';

export type MoveReason =
  /** A replica is lost for longer than a restart takes. */
  | 'repair'
  | 'drain'
  /** Members, weights or zones are others now. */
  | 'balance';

export type RollBackReason =
  /** Placement wants another set by now. */
  | 'targetChanged'
  | 'joinerLost'
  | 'noProgress'
  /** The next set lost its majority together with the primary. */
  | 'noMajority';

export type StuckReason =
  /** A set whose majority every write needs has lost it; a fail-over would help nobody. */
  | 'noMajority'
  /** Nobody who serves is alive in the generation that is registered. */
  | 'noCandidate'
  /** Its primary is alive and does not get to serve, and nobody else could do better. */
  | 'notServing';

interface Batch {
  readonly count: number;
  /** A few of them. */
  readonly shards: readonly ShardId[];
}

/** Every decision with its reason: a line for all shards that it holds for. */
export type PlannerEvent =
  | (Batch & { readonly name: 'shard.failedOver'; readonly reason: FailOverReason })
  | (Batch & { readonly name: 'move.planned'; readonly reason: MoveReason })
  | (Batch & { readonly name: 'move.advanced'; readonly stage: 'dual' | 'switch' })
  | (Batch & { readonly name: 'move.rolledBack'; readonly reason: RollBackReason })
  | (Batch & { readonly name: 'move.finished' })
  /** Told when there are more of them, and every minute while there are any. */
  | (Batch & { readonly name: 'shard.stuck'; readonly reason: StuckReason })
  /** This draining member holds nothing any more: its process may stop. */
  | { readonly name: 'member.drained'; readonly member: NodeId };
