import { shardId, type ControlCommand, type ShardConfig } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { ControlView, RegisteredMember } from '../node-status.ts';
import { placed } from './census.ts';
import { commandsFor } from './decision.ts';
import type { FoundingShards } from './planner-io.ts';
import { placement } from './target-table.ts';

/**
 * The commands that create all shards, on the members that are there.
 *
 * A coordinator may have died between them. Its successor proposes all owners again: those that are
 * assigned already are in epoch 1, so for them the change is stale and ignored.
 */
export function firstAssignments(
  members: readonly RegisteredMember[],
  control: ControlView,
  founding: FoundingShards,
): readonly ControlCommand[] {
  const exist = control.shardCount > 0;
  const { replicationFactor, shardCount } = exist ? control : founding;
  const generations = new Map(members.map(({ generation, nodeId }) => [nodeId, generation]));
  const table = placement(members.map(placed), shardCount, replicationFactor);
  const changes = table.map(({ primary, replicas }, shard): ShardConfig => {
    const primaryGeneration = generations.get(primary);
    invariant(primaryGeneration !== undefined, `Placement chose the stranger ${primary}.`);
    return {
      shard: shardId(shard, shardCount),
      epoch: 1,
      stage: 'stable',
      primary,
      primaryGeneration,
      replicas,
      next: [],
      session: 0,
    };
  });
  const create = { kind: 'createShards', shardCount, replicationFactor } as const;
  return [...(exist ? [] : [create]), ...commandsFor(changes)];
}
