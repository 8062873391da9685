import type { NodeId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { type Anchor, distance, log2Fixed } from './affinity.ts';
import { type Admits, BoundedAssignment } from './bounded-assignment.ts';
import { hash64 } from './hash.ts';
import { requireShardCount } from './shard.ts';

/** A node that may hold replicas. */
export interface PlacementMember {
  readonly id: NodeId;
  /** Members in one zone may fail together. '' is a zone like any other. */
  readonly zone: string;
  /** Capacity relative to the others, from 0 (holds nothing) to 10,000. */
  readonly weight: number;
}

export interface PlacementConfig {
  /** A power of two from 8 to 4,096. */
  readonly shardCount: number;
  /** Wanted replicas of each shard. With fewer members that hold anything, all of them hold all. */
  readonly replicationFactor: number;
}

/** Who holds one shard. */
export interface ShardReplicas {
  readonly primary: NodeId;
  /** Distinct; the primary first, then whom it suits best. */
  readonly replicas: readonly NodeId[];
}

/** Above a node's fair share, in percent: less moves more when the cluster changes. */
const SLACK_PERCENT = 5;

/** A pair of shard and node must fit beside its distance, of 30 bits, into 53. */
const PAIRS_MAX = 2 ** 22;

/**
 * Where every shard should live: bounded rendezvous hashing, by shard.
 *
 * A pure function of the *set* of members and of the configuration, so every node computes the
 * same table. It is a plan; the committed table follows it shard by shard. See DESIGN.md, R4-R9.
 *
 * @throws RangeError for a shard count or replication factor out of range, a member twice, an
 * invalid weight, nobody with a weight, or more than 2^22 pairs of shard and member.
 */
export function placeShards(
  members: readonly PlacementMember[],
  config: PlacementConfig,
): readonly ShardReplicas[] {
  const { shardCount } = config;
  const nodes = validMembers(members, config);
  const replicaCount = Math.min(config.replicationFactor, nodes.length);
  const order = closestFirst(nodes, shardCount);
  const capacities = capacitiesOf(nodes, shardCount, replicaCount);

  const replicas = new BoundedAssignment(capacities, shardCount, replicaCount);
  spreadOverZones(replicas, nodes, { order, replicaCount });

  // Replicas divided by their number are a fractional choice of primaries within these bounds, so
  // there is a whole one as well (Hall's theorem), and `complete` finds it.
  const shares = capacities.map((capacity) => Math.ceil(capacity / replicaCount));
  const primaries = new BoundedAssignment(shares, shardCount, 1);
  assign(primaries, order, (shard, node) => replicas.holds(shard, node));

  return Array.from({ length: shardCount }, (_, shard) => {
    const primary = primaries.holdersOf(shard)[0] as number;
    const others = replicas.holdersOf(shard).filter((node) => node !== primary);
    const anchors = order.anchors;
    const from = (node: number): number => distance(anchors[node] as Anchor, shard);
    const ranked = [primary, ...others.toSorted((a, b) => from(a) - from(b) || a - b)];
    const ids = ranked.map((node) => (nodes[node] as PlacementMember).id);
    return { primary: ids[0] as NodeId, replicas: ids };
  });
}

/** Sorted by id, because the order in which members are known differs between nodes. */
function validMembers(
  members: readonly PlacementMember[],
  { shardCount, replicationFactor }: PlacementConfig,
): readonly PlacementMember[] {
  requireShardCount(shardCount);
  if (!Number.isSafeInteger(replicationFactor) || replicationFactor < 1) {
    throw new RangeError(
      `Invalid replication factor ${replicationFactor}: expected a whole number from 1.`,
    );
  }
  const seen = new Set<NodeId>();
  for (const { id, weight } of members) {
    if (!Number.isInteger(weight) || weight < 0 || weight > LIMITS.weightMax) {
      throw new RangeError(
        `Invalid weight ${weight} of ${id}: expected a whole number from 0 to ${LIMITS.weightMax}.`,
      );
    }
    if (seen.has(id)) throw new RangeError(`Member ${id} is listed twice.`);
    seen.add(id);
  }
  const nodes = members
    .filter((member) => member.weight > 0)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (nodes.length === 0) throw new RangeError('No member has a weight, so none can hold a shard.');
  if (nodes.length * shardCount > PAIRS_MAX) {
    throw new RangeError(
      `${nodes.length} members and ${shardCount} shards are too many: expected at most ${PAIRS_MAX} pairs.`,
    );
  }
  return nodes;
}

/**
 * How many replicas each node may hold: its share by weight and 5 % more. Nobody holds a shard
 * twice, so what is beyond a node's reach is shared out among the others.
 */
function capacitiesOf(
  nodes: readonly PlacementMember[],
  shardCount: number,
  replicaCount: number,
): readonly number[] {
  let weightLeft = nodes.reduce((sum, node) => sum + node.weight, 0);
  let replicasLeft = replicaCount;
  const holdsAll = new Set<PlacementMember>();
  for (const node of nodes.toSorted((a, b) => b.weight - a.weight)) {
    // The heaviest first: once one fits into its share, all lighter ones do.
    if (node.weight * replicasLeft < weightLeft) break;
    holdsAll.add(node);
    weightLeft -= node.weight;
    replicasLeft -= 1;
  }
  return nodes.map((node) => {
    if (holdsAll.has(node)) return shardCount;
    const wanted = shardCount * replicasLeft * node.weight * (100 + SLACK_PERCENT);
    return Math.min(shardCount, Math.ceil(wanted / (weightLeft * 100)));
  });
}

interface Order {
  readonly anchors: readonly Anchor[];
  /** Calls with every pair, the closest first. */
  readonly each: (visit: (shard: number, node: number) => void) => void;
}

/** All pairs of shard and node in one order: the best matches of the whole cluster come first. */
function closestFirst(nodes: readonly PlacementMember[], shardCount: number): Order {
  const anchors = nodes.map(({ id, weight }): Anchor => {
    return { ...hash64(id), weightLog: log2Fixed(weight) };
  });
  // Distance above, pair below: one array of numbers sorts several times faster than objects.
  const keys = new Float64Array(shardCount * nodes.length);
  for (let shard = 0; shard < shardCount; shard++) {
    anchors.forEach((anchor, node) => {
      const pair = shard * nodes.length + node;
      keys[pair] = distance(anchor, shard) * PAIRS_MAX + pair;
    });
  }
  keys.sort();
  return {
    anchors,
    each: (visit) => {
      for (const key of keys) {
        const pair = key % PAIRS_MAX;
        visit(Math.floor(pair / nodes.length), pair % nodes.length);
      }
    },
  };
}

interface SpreadOptions {
  readonly order: Order;
  readonly replicaCount: number;
}

/**
 * Assigns replicas with as few as possible in one zone. Capacity goes before zones: a zone of one
 * small node cannot hold a replica of everything.
 */
function spreadOverZones(
  replicas: BoundedAssignment,
  nodes: readonly PlacementMember[],
  { order, replicaCount }: SpreadOptions,
): void {
  const zones = nodes.map((node) => node.zone);
  const zoneCount = new Set(zones).size;
  // Rounded down at first, so that five replicas in four zones are 2, 1, 1 and 1, never 2, 2 and 1.
  const evenly = Math.max(1, Math.floor(replicaCount / zoneCount));
  for (let limit = evenly; limit <= replicaCount; limit++) {
    const fits: Admits = (shard, node, leaving) => {
      let together = 0;
      for (const holder of replicas.holdersOf(shard)) {
        if (holder !== leaving && zones[holder] === zones[node]) together += 1;
      }
      return together < limit;
    };
    if (assign(replicas, order, fits) === 0) return;
  }
}

/** @returns how many holders are still missing. */
function assign(assignment: BoundedAssignment, order: Order, admits: Admits): number {
  order.each((shard, node) => assignment.offer(shard, node, admits));
  return assignment.complete(admits);
}
