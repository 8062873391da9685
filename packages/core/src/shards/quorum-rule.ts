import type { NodeId, ShardConfig } from '@memgrid/protocol';
import { broken } from '#breaks';

/** One set of replicas of which a majority has to agree. */
export interface QuorumSet {
  readonly members: readonly NodeId[];
  /** Whether a replica whose base is still being streamed counts. See DESIGN.md, F9. */
  readonly incompleteCounts: boolean;
}

/** The smallest number of `size` replicas that meets every other such number of them. */
export function majority(size: number): number {
  return Math.floor(size / 2) + 1;
}

/**
 * What a write needs in each stage: a majority of every set named here. The promises of an
 * activation and the pings of a strong read ask the same sets, so that any two of them meet.
 */
export function writeSets(config: ShardConfig): readonly QuorumSet[] {
  const incompleteCounts = broken('shards.incomplete-does-not-count');
  const replicas: QuorumSet = { members: config.replicas, incompleteCounts };
  if (broken('shards.dual-needs-both')) return [replicas];
  switch (config.stage) {
    case 'stable':
    case 'admit':
      return [replicas];
    case 'dual':
      return [replicas, { members: config.next, incompleteCounts: true }];
    case 'switch':
      return [replicas, { members: config.next, incompleteCounts }];
  }
}

/** The replicas of which a majority answers a quorum read. */
export function readMembers(config: ShardConfig): readonly NodeId[] {
  return config.stage === 'switch' ? config.next : config.replicas;
}

/** Everybody who holds the shard or is about to. */
export function everyReplica(config: ShardConfig): readonly NodeId[] {
  return [...new Set([...config.replicas, ...config.next])];
}

/** Who is sent records: joiners only once writes need them. */
export function recordReceivers(config: ShardConfig): readonly NodeId[] {
  return config.stage === 'admit' ? config.replicas : everyReplica(config);
}

/** Whether `has` holds for a majority of every set. */
export function hasQuorum(
  sets: readonly QuorumSet[],
  has: (node: NodeId, set: QuorumSet) => boolean,
): boolean {
  return sets.every((set) => {
    return set.members.filter((node) => has(node, set)).length >= majority(set.members.length);
  });
}

/**
 * The highest value that a majority of every set has reached.
 *
 * @param reached what a node has reached, as far as it counts in `set`.
 */
export function quorumReached(
  sets: readonly QuorumSet[],
  reached: (node: NodeId, set: QuorumSet) => number,
): number {
  let lowest = Number.MAX_SAFE_INTEGER;
  for (const set of sets) {
    const { members } = set;
    const needed = broken('shards.majority-commits') ? 1 : majority(members.length);
    const all = members.map((node) => reached(node, set));
    lowest = Math.min(lowest, highestOf(all, needed));
  }
  return lowest;
}

/** The highest number that at least `needed` of a handful of values reach; 0 when they are fewer. */
function highestOf(values: readonly number[], needed: number): number {
  let highest = 0;
  for (const value of values) {
    if (value <= highest) continue;
    let count = 0;
    for (const other of values) if (other >= value) count += 1;
    if (count >= needed) highest = value;
  }
  return highest;
}
