import type { NodeId } from '@memgrid/protocol';

/** How many voters a cluster of `memberCount` nodes should have; always odd (3-cluster.md, 5). */
export function targetVotersFor(memberCount: number, votersMax: number | undefined): number {
  const limit = votersMax ?? 5;
  if (memberCount < 3) return 1;
  if (memberCount < 5) return Math.min(3, limit);
  return Math.min(memberCount >= 7 ? limit : 5, limit);
}

export interface VoterCandidate {
  readonly nodeId: NodeId;
  readonly zone: string;
}

/**
 * Picks `count` candidates so that the zones are used as evenly as possible, and so that one zone's
 * failure takes as few votes as possible. Earlier candidates are preferred within a zone.
 */
export function spreadOverZones(
  candidates: readonly VoterCandidate[],
  count: number,
): readonly NodeId[] {
  const queues = new Map<string, NodeId[]>();
  for (const { nodeId, zone } of candidates) {
    const queue = queues.get(zone);
    if (queue === undefined) queues.set(zone, [nodeId]);
    else queue.push(nodeId);
  }
  const picked: NodeId[] = [];
  while (picked.length < count && queues.size > 0) {
    for (const [zone, queue] of [...queues]) {
      const next = queue.shift();
      if (next === undefined) queues.delete(zone);
      else if (picked.length < count) picked.push(next);
    }
  }
  return picked;
}
