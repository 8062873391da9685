import type { Generation, NodeId, ShardId } from '../ids.ts';
import type { ShardEpoch } from './operations.ts';

/** Where a shard is between two sets of replicas. */
export type ShardStage = 'stable' | 'admit' | 'dual' | 'switch';

/**
 * Who owns a shard, as committed in the control group. Every committed change raises `epoch` by
 * exactly one.
 */
export interface ShardConfig {
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly stage: ShardStage;
  readonly primary: NodeId;
  /** Only this life of the primary may activate the epoch. */
  readonly primaryGeneration: Generation;
  /** Distinct, at least one. */
  readonly replicas: readonly NodeId[];
  /** The set that takes over; empty when stable. */
  readonly next: readonly NodeId[];
  /** Of the move; 0 when stable. A rollback and every new move take a new one. */
  readonly session: number;
}
