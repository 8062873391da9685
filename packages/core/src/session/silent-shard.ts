import { shortId } from '@memgrid/protocol';
import type { ShardId } from '@memgrid/protocol';
import type { PlacementTable } from '../routing/placement-table.ts';

type Known = Pick<PlacementTable, 'node' | 'primaryOf' | 'replicasOf'>;

/**
 * Why a shard may not have answered, in words without an end: who is missing for its majority, or
 * else who its primary is. As far as the nodes have told which of them are alive.
 */
export function silentShard(placement: Known, shard: ShardId): string {
  const replicas = placement.replicasOf(shard).flatMap((slot) => placement.node(slot) ?? []);
  const down = replicas.filter(({ alive }) => !alive).map(({ nodeId }) => shortId(nodeId));
  const needed = Math.floor(replicas.length / 2) + 1;
  if (replicas.length > 0 && replicas.length - down.length < needed) {
    const missing = `${down.join(' and ')} ${down.length === 1 ? 'is' : 'are'} down`;
    return `${needed} of its ${replicas.length} replicas have to answer, and ${missing}`;
  }
  const primary = placement.node(placement.primaryOf(shard));
  if (primary === undefined) return 'it has no primary yet';
  return `its primary ${shortId(primary.nodeId)} ${primary.alive ? 'did not answer' : 'is down'}`;
}
