import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { MembershipCluster } from '../testing/membership-cluster.ts';
import type { MembershipClusterOptions } from '../testing/membership-cluster.ts';
import { Random } from '../random.ts';

// Time here is simulated: bars are exact and hold on any machine.

const digest = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest());

const SEEDS = Array.from({ length: 40 }, (_, at) => at + 1);

function clusterOf(
  count: number,
  options: Partial<MembershipClusterOptions> = {},
): MembershipCluster {
  const cluster = new MembershipCluster({ seed: 1, digest, fullMesh: count <= 100, ...options });
  cluster.start(count);
  const joined = cluster.runUntil(() => allSee(cluster, count), 10_000);
  expect(joined).toBeLessThanOrEqual(count <= 10 ? 1000 : 5000);
  cluster.run(7000);
  return cluster;
}

function allSee(cluster: MembershipCluster, aliveCount: number, except = -1): boolean {
  return indexes(cluster, except).every((at) => cluster.machine(at).aliveCount === aliveCount);
}

function indexes(cluster: MembershipCluster, except = -1): readonly number[] {
  return Array.from({ length: cluster.size }, (_, at) => at).filter((at) => at !== except);
}

function deathsOfOthers(cluster: MembershipCluster, victim = -1): number {
  return cluster.told.filter(
    ({ event }) =>
      event.name === 'member.died' && (victim < 0 || event.member !== cluster.id(victim)),
  ).length;
}

function detectionTimes(count: number, how: 'kill' | 'silence', seeds = SEEDS): readonly number[] {
  return seeds
    .map((seed) => {
      const cluster = clusterOf(count, { seed });
      cluster.run(seed * 137);
      const victim = count - 1;
      cluster[how](victim);
      const known = cluster.runUntil(() => allSee(cluster, count - 1, victim), 30_000);
      expect(deathsOfOthers(cluster, victim)).toBe(0);
      return known ?? Infinity;
    })
    .sort((a, b) => a - b);
}

const p95 = (sorted: readonly number[]): number =>
  sorted[Math.ceil(sorted.length * 0.95) - 1] ?? NaN;

test.each([2, 3, 5, 10])('M14: a killed process among %i is known dead within 2 s', (count) => {
  expect(detectionTimes(count, 'kill').at(-1)).toBeLessThanOrEqual(2000);
});

test.each([3, 5, 7, 10])('M2, M4: a silent node among %i is known dead within 8 s', (count) => {
  expect(p95(detectionTimes(count, 'silence'))).toBeLessThanOrEqual(8000);
});

test('M2, M4: a silent node among 100 is known dead within 12 s', () => {
  const times = detectionTimes(100, 'silence', SEEDS.slice(0, 5));
  expect(times[2]).toBeLessThanOrEqual(12_000);
});

test('M15: a killed node that comes back is everybody’s member again at once', () => {
  const cluster = clusterOf(5);
  cluster.kill(4);
  expect(cluster.runUntil(() => allSee(cluster, 4, 4), 5000)).toBeDefined();
  cluster.restart(4, 0);
  expect(cluster.runUntil(() => allSee(cluster, 5), 2000)).toBeDefined();
  expect(cluster.machine(0).get(cluster.id(4))?.generation).toBe(2);
});

test('M13: two halves that took each other for dead find each other within 10 s', () => {
  for (const seed of SEEDS.slice(0, 10)) {
    const cluster = clusterOf(5, { seed });
    cluster.connect((a, b) => a < 2 === b < 2);
    const apart = () =>
      indexes(cluster).every((at) => cluster.machine(at).aliveCount === (at < 2 ? 2 : 3));
    expect(cluster.runUntil(apart, 60_000)).toBeDefined();
    cluster.run(30_000);
    cluster.connect(() => true);
    expect(cluster.runUntil(() => allSee(cluster, 5), 10_000)).toBeDefined();
    cluster.run(5000);
    const digests = indexes(cluster).map((at) => JSON.stringify(cluster.machine(at).digest()));
    expect(new Set(digests).size).toBe(1);
  }
});

test('M13: even a member that was dead for an hour is found again', () => {
  const cluster = clusterOf(3);
  cluster.connect((a, b) => a < 2 === b < 2);
  cluster.run(3_600_000);
  expect(allSee(cluster, 2, 2)).toBe(true);
  cluster.connect(() => true);
  expect(cluster.runUntil(() => allSee(cluster, 3), 60_000)).toBeDefined();
});

test('M3: a link that is cut one way only is no death: helpers reach the member', () => {
  const cluster = clusterOf(5);
  cluster.connect((from, to) => !(from === 0 && to === 1));
  cluster.run(120_000);
  expect(deathsOfOthers(cluster)).toBe(0);
});

test.each([0, 0.05])(
  'M8, M17: pauses of 50 to 400 ms everywhere and loss %d kill nobody',
  (loss) => {
    for (const seed of SEEDS.slice(0, 3)) {
      const cluster = clusterOf(7, { seed, loss });
      const random = Random.of(seed);
      for (const at of indexes(cluster)) {
        cluster.every(
          () => random.between(600, 3400),
          () => cluster.pause(at, random.between(50, 400)),
        );
      }
      cluster.run(600_000);
      expect(deathsOfOthers(cluster)).toBe(0);
    }
  },
);

test.each([10, 100])(
  'M19: %i quiet members cost at most 4 messages per node and second',
  (count) => {
    const cluster = clusterOf(count);
    cluster.run(60_000);
    cluster.messageCount = 0;
    cluster.run(60_000);
    expect(cluster.messageCount / count / 60).toBeLessThanOrEqual(4);
    expect(cluster.messageCount / count / 60).toBeGreaterThan(1.9);
  },
);

test('M16: a goodbye is known everywhere in a moment, and nobody tries the one who left', () => {
  const cluster = clusterOf(5);
  cluster.input(4, { kind: 'leave' });
  expect(cluster.runUntil(() => allSee(cluster, 4, 4), 1000)).toBeDefined();
  cluster.kill(4);
  cluster.run(20_000);
  expect(deathsOfOthers(cluster)).toBe(0);
  expect(allSee(cluster, 4, 4)).toBe(true);
});
