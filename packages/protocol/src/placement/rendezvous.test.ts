import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type NodeId, nodeId } from '../ids.ts';
import { log2Fixed } from './affinity.ts';
import { hash64 } from './hash.ts';
import { placeShards, type PlacementMember, type ShardReplicas } from './rendezvous.ts';

const CONFIG = { shardCount: 1024, replicationFactor: 3 };

/** Ids as random as real ones, and the same in every run. */
function idOf(number: number): NodeId {
  const lanes = [hash64(`node ${number}`), hash64(`${number} again`)];
  const words = lanes.flatMap(({ high, low }) => [high, low]);
  return nodeId(words.map((word) => word.toString(16).padStart(8, '0')).join(''));
}

interface ClusterShape {
  readonly zoneCount?: number;
  readonly weight?: (number: number) => number;
}

function cluster(size: number, shape: ClusterShape = {}): readonly PlacementMember[] {
  const { zoneCount = 1, weight = () => 100 } = shape;
  return Array.from({ length: size }, (_, number) => ({
    id: idOf(number),
    zone: `zone-${number % zoneCount}`,
    weight: weight(number),
  }));
}

function countsOf(ids: readonly NodeId[]): ReadonlyMap<NodeId, number> {
  const counts = new Map<NodeId, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

function loadsOf(table: readonly ShardReplicas[]): ReadonlyMap<NodeId, number> {
  return countsOf(table.flatMap(({ replicas }) => replicas));
}

/** Replicas that have to be copied to get from one table to the other. */
function moved(before: readonly ShardReplicas[], after: readonly ShardReplicas[]): number {
  return after.reduce((sum, { replicas }, shard) => {
    const had = before[shard]?.replicas ?? [];
    return sum + replicas.filter((id) => !had.includes(id)).length;
  }, 0);
}

const members = fc.uniqueArray(fc.nat(10_000), { minLength: 1, maxLength: 14 }).chain((numbers) =>
  fc.tuple(
    ...numbers.map((number) =>
      fc.record({
        id: fc.constant(idOf(number)),
        zone: fc.constantFrom('', 'a', 'b', 'c'),
        weight: fc.oneof(fc.constant(100), fc.integer({ min: 1, max: 10_000 })),
      }),
    ),
  ),
);
const replicationFactor = fc.integer({ min: 1, max: 5 });

test('R4: the order in which members are known changes nothing', () => {
  const shuffled = members.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  );
  fc.assert(
    fc.property(shuffled, ([list, other]) => {
      expect(placeShards(other, CONFIG)).toEqual(placeShards(list, CONFIG));
    }),
    { numRuns: 25 },
  );
});

test('R4: this cluster has had this table since the first version', () => {
  const table = placeShards(cluster(7, { zoneCount: 4, weight: (i) => 50 + 25 * i }), CONFIG);
  const text = table.flatMap(({ replicas }) => replicas).join(' ');
  expect(hash64(text)).toEqual({ high: 673_295_199, low: 1_023_318_995 });
});

test('R5, R6: every shard has distinct replicas and a primary, and nobody more than its share', () => {
  fc.assert(
    fc.property(members, replicationFactor, (list, factor) => {
      const table = placeShards(list, { ...CONFIG, replicationFactor: factor });
      const replicaCount = Math.min(factor, list.length);
      for (const { primary, replicas } of table) {
        expect(replicas.length).toBe(replicaCount);
        expect(new Set(replicas).size).toBe(replicaCount);
        expect(replicas[0]).toBe(primary);
      }
      const loads = loadsOf(table);
      const primaries = countsOf(table.map(({ primary }) => primary));
      for (const { id, share } of fairShares(list, replicaCount)) {
        const capacity = Math.ceil(share * 1.05 - 1e-6);
        expect(loads.get(id) ?? 0).toBeLessThanOrEqual(capacity);
        expect(primaries.get(id) ?? 0).toBeLessThanOrEqual(Math.ceil(capacity / replicaCount));
      }
    }),
    { numRuns: 30 },
  );
});

/** Twin of the share by weight: pour in small drops, and close whoever holds everything. */
function fairShares(
  list: readonly PlacementMember[],
  replicaCount: number,
): readonly { id: NodeId; share: number }[] {
  const full = new Set<PlacementMember>();
  const shareOf = (member: PlacementMember): number => {
    if (full.has(member)) return CONFIG.shardCount;
    const open = list.filter((other) => !full.has(other));
    const weight = open.reduce((sum, other) => sum + other.weight, 0);
    return (CONFIG.shardCount * (replicaCount - full.size) * member.weight) / weight;
  };
  for (;;) {
    const next = list.find((one) => !full.has(one) && shareOf(one) >= CONFIG.shardCount);
    if (next === undefined) break;
    full.add(next);
  }
  return list.map((member) => ({ id: member.id, share: shareOf(member) }));
}

test.each([
  { size: 10, shardCount: 1024, maxByMean: 1.055 },
  { size: 50, shardCount: 4096, maxByMean: 1.055 },
  { size: 100, shardCount: 4096, maxByMean: 1.06 },
])('R5: $size nodes hold at most $maxByMean of the mean of $shardCount shards', (row) => {
  const table = placeShards(cluster(row.size), { ...CONFIG, shardCount: row.shardCount });
  const most = Math.max(...loadsOf(table).values());
  expect((most * row.size) / (3 * row.shardCount)).toBeLessThanOrEqual(row.maxByMean);
});

test('R5: replicas follow weights', () => {
  const list = cluster(9, { weight: (number) => (number < 3 ? 200 : 100) });
  const loads = loadsOf(placeShards(list, CONFIG));
  list.forEach(({ id, weight }) => {
    const share = (3 * 1024 * weight) / 1200;
    expect(loads.get(id)).toBeGreaterThan(share * 0.85);
    expect(loads.get(id)).toBeLessThanOrEqual(Math.ceil(share * 1.05));
  });
});

test('R5: a node heavier than all others together holds every shard once', () => {
  const list = cluster(4, { weight: (number) => (number === 0 ? 10_000 : 1) });
  const loads = loadsOf(placeShards(list, CONFIG));
  expect(loads.get(idOf(0))).toBe(1024);
  for (const number of [1, 2, 3]) expect(loads.get(idOf(number))).toBeLessThanOrEqual(717);
});

test.each([
  { size: 9, zoneCount: 3, inOneZone: 1 },
  { size: 12, zoneCount: 4, inOneZone: 1 },
  { size: 10, zoneCount: 5, inOneZone: 1 },
  { size: 10, zoneCount: 2, inOneZone: 2 },
  { size: 5, zoneCount: 1, inOneZone: 3 },
  // Zones of 3, 2 and 2 nodes that are equally heavy.
  { size: 7, zoneCount: 3, inOneZone: 1, weight: (i: number) => (i % 3 === 0 ? 100 : 150) },
])('R7: $size nodes in $zoneCount zones: at most $inOneZone replicas in one', (row) => {
  const list = cluster(row.size, row);
  const zoneOf = new Map(list.map(({ id, zone }) => [id, zone]));
  for (const { replicas } of placeShards(list, CONFIG)) {
    const zones = new Map<string | undefined, number>();
    for (const id of replicas) zones.set(zoneOf.get(id), (zones.get(zoneOf.get(id)) ?? 0) + 1);
    expect(Math.max(...zones.values())).toBeLessThanOrEqual(row.inOneZone);
  }
});

test('R7: zones of equal weight are as distinct as their number allows', () => {
  const zoneCount = fc.integer({ min: 2, max: 6 });
  const each = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(zoneCount, each, fc.nat(1000), fc.integer({ min: 1, max: 5 }), (...drawn) => {
      const [zones, perZone, offset, factor] = drawn;
      const list = cluster(zones * perZone, { zoneCount: zones }).map((member, i) => ({
        ...member,
        id: idOf(offset + i),
      }));
      const zoneOf = new Map(list.map(({ id, zone }) => [id, zone]));
      const distinct = Math.min(factor, zones);
      for (const { replicas } of placeShards(list, { ...CONFIG, replicationFactor: factor })) {
        const used = new Set(replicas.map((id) => zoneOf.get(id)));
        expect(used.size).toBe(Math.min(distinct, list.length));
      }
    }),
    { numRuns: 30 },
  );
});

test('R7: a zone too small for a replica of everything fills up, and the rest share two zones', () => {
  const list = cluster(9).map((member, i) => ({ ...member, zone: ['a', 'b', 'c'][i % 3] ?? '' }));
  const uneven = list.map((member, i) =>
    i > 0 && member.zone === 'a' ? { ...member, zone: 'b' } : member,
  );
  const table = placeShards(uneven, CONFIG);
  const capacity = Math.ceil((3 * 1024 * 1.05) / 9);
  expect(loadsOf(table).get(idOf(0))).toBe(capacity);
  const zoneOf = new Map(uneven.map(({ id, zone }) => [id, zone]));
  for (const { replicas } of table) {
    expect(new Set(replicas.map((id) => zoneOf.get(id))).size).toBeGreaterThanOrEqual(2);
  }
});

test('R8: the eleventh node moves about its own share', () => {
  const before = placeShards(cluster(10), CONFIG);
  const after = placeShards(cluster(11), CONFIG);
  expect(moved(before, after) / (3 * 1024)).toBeGreaterThan(0.08);
  expect(moved(before, after) / (3 * 1024)).toBeLessThan(0.1);
});

test('R8: a node that joins or leaves moves what it holds and a bounded rest', () => {
  const size = fc.integer({ min: 4, max: 30 });
  fc.assert(
    fc.property(size, fc.nat(1000), (count, offset) => {
      const all = Array.from({ length: count }, (_, i) => ({
        ...(cluster(1)[0] as PlacementMember),
        id: idOf(offset + i),
      }));
      const [leaver, ...rest] = all;
      const large = placeShards(all, CONFIG);
      const small = placeShards(rest, CONFIG);
      const held = loadsOf(large).get((leaver as PlacementMember).id) ?? 0;
      // Whoever leaves loses everything and nobody else has to: the rest is the price of balance.
      const left = moved(large, small);
      const joined = moved(small, large);
      expect(left).toBeGreaterThanOrEqual(held);
      expect(joined).toBeGreaterThanOrEqual(held);
      expect(left - held).toBeLessThanOrEqual(0.03 * 3 * 1024);
      expect(joined - held).toBeLessThanOrEqual(0.03 * 3 * 1024);
    }),
    { numRuns: 20 },
  );
});

test('R9: a node without weight holds nothing', () => {
  const list = cluster(5, { weight: (number) => (number === 0 ? 0 : 100) });
  expect(placeShards(list, CONFIG)).toEqual(placeShards(list.slice(1), CONFIG));
});

test.each([
  { what: 'nobody', list: [], config: CONFIG },
  { what: 'nobody with a weight', list: cluster(2, { weight: () => 0 }), config: CONFIG },
  { what: 'a member twice', list: [...cluster(2), ...cluster(1)], config: CONFIG },
  { what: 'a weight too great', list: cluster(2, { weight: () => 10_001 }), config: CONFIG },
  { what: 'half a weight', list: cluster(2, { weight: () => 0.5 }), config: CONFIG },
  { what: 'too many pairs', list: cluster(1025), config: { ...CONFIG, shardCount: 4096 } },
  { what: 'a wrong count', list: cluster(2), config: { ...CONFIG, shardCount: 1000 } },
  { what: 'no replica', list: cluster(2), config: { ...CONFIG, replicationFactor: 0 } },
])('R9: $what is refused', ({ list, config }) => {
  expect(() => placeShards(list, config)).toThrow(RangeError);
});

test('R4: logarithms of whole numbers never decrease and are exact at powers of two', () => {
  for (let power = 0; power <= 32; power++) expect(log2Fixed(2 ** power)).toBe(power * 2 ** 24);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 32 - 1 }), (value) => {
      expect(log2Fixed(value + 1)).toBeGreaterThanOrEqual(log2Fixed(value));
      expect(Math.abs(log2Fixed(value) / 2 ** 24 - Math.log2(value))).toBeLessThan(1e-6);
    }),
  );
});
