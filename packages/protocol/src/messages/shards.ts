import type { Generation, NodeId, ShardId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { countField, generationField, shardIdField } from '../wire/counters.ts';
import { checked, choice, type Field, list } from '../wire/field.ts';
import { nodeIdField } from '../wire/id-field.ts';
import { type Extensible, extensible } from '../wire/struct.ts';
import { expected } from '../wire/wire-error.ts';
import type { ShardEpoch } from './operations.ts';

/** Where a shard is between two sets of replicas. */
export type ShardStage = 'stable' | 'admit' | 'dual' | 'switch';

/**
 * Who owns a shard, as committed in the control group. Every committed change raises `epoch` by
 * exactly one.
 */
export interface ShardConfig extends Extensible {
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

export const shardStageField: Field<ShardStage> = choice<ShardStage>({
  stable: 1,
  admit: 2,
  dual: 3,
  switch: 4,
});

/** The first one is listed first by whoever made the set: the order is kept and means nothing. */
const replicaSet = (lengthMin: 0 | 1): Field<readonly NodeId[]> => {
  return checked(
    list(nodeIdField, LIMITS.replicasMax),
    `distinct(id128,${lengthMin},${LIMITS.replicasMax})`,
    (nodes) => {
      if (nodes.length < lengthMin) throw expected('at least one node', nodes);
      nodes.forEach((node, i) => {
        if (nodes.indexOf(node) !== i) throw expected('distinct nodes', node).inside(`[${i}]`);
      });
    },
  );
};

export const shardConfigField: Field<ShardConfig> = extensible<ShardConfig>({
  shard: shardIdField,
  epoch: countField,
  stage: shardStageField,
  primary: nodeIdField,
  primaryGeneration: generationField,
  replicas: replicaSet(1),
  next: replicaSet(0),
  session: countField,
});
