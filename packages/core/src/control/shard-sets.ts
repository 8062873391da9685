import type { NodeId, ShardConfig } from '@memgrid/protocol';

type Sets = Pick<ShardConfig, 'stage' | 'replicas' | 'next'>;

/** Who answers quorum reads, and where the primary comes from. */
export function servingSet({ stage, replicas, next }: Sets): readonly NodeId[] {
  return stage === 'switch' ? next : replicas;
}

/**
 * The sets of which a write needs a majority each. A new primary hears a majority of each of them
 * before it serves, so it knows whatever an earlier epoch acknowledged.
 */
export function writeSets({ stage, replicas, next }: Sets): readonly (readonly NodeId[])[] {
  return stage === 'dual' || stage === 'switch' ? [replicas, next] : [replicas];
}

/** Everybody who may hold data of the shard, each once. */
export function holders({ replicas, next }: Sets): readonly NodeId[] {
  return next.length === 0 ? replicas : [...new Set([...replicas, ...next])];
}

/** Those of `next` who have to be sent the data. */
export function joiners({ replicas, next }: Sets): readonly NodeId[] {
  return next.filter((node) => !replicas.includes(node));
}

export function isSameSet(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}
