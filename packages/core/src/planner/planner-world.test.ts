import type { NodeId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { Random } from '../random.ts';
import { PlannerRig, type PlannerRigOptions } from '../testing/planner-rig.ts';
import { plannerStorm } from '../testing/planner-storm.ts';

function rigOf(options: Partial<PlannerRigOptions> = {}): PlannerRig {
  return new PlannerRig({
    random: Random.of(1),
    shardCount: 32,
    replicationFactor: 3,
    lostPercent: 0,
    doubledPercent: 0,
    streamMsMax: 1_000,
    ...options,
  });
}

function started(nodes: number, options: Partial<PlannerRigOptions> = {}): PlannerRig {
  const rig = rigOf(options);
  for (let i = 0; i < nodes; i++) rig.join();
  expect(rig.runFor(60_000, () => rig.isSettled())).toBe(true);
  return rig;
}

test('G1: shards are created on the founders that are there, balanced and serving', () => {
  const rig = started(3);
  expect(rig.configs).toHaveLength(32);
  const led = rig.running.map((id) => rig.configs.filter(({ primary }) => primary === id).length);
  expect(Math.max(...led)).toBeLessThanOrEqual(12);
});

test('G6: the fourth node gets its quarter of the replicas and nothing else moves', () => {
  const rig = started(3, { shardCount: 256 });
  const fourth = rig.join();
  expect(rig.runFor(600_000, () => rig.isSettled())).toBe(true);
  const moved = rig.events.reduce((sum, event) => {
    return event.name === 'move.planned' ? sum + event.count : sum;
  }, 0);
  const held = rig.configs.filter(({ replicas }) => replicas.includes(fourth)).length;
  expect(held / (256 * 3)).toBeGreaterThan(0.22);
  expect(held / (256 * 3)).toBeLessThan(0.28);
  // Each of them once, and one replica at a time.
  expect(moved).toBe(held);
});

test('G2: all shards of a dead primary are served again by others, in one command', () => {
  const rig = started(3, { shardCount: 256 });
  const [victim] = rig.running as [NodeId];
  rig.crash(victim);
  rig.runFor(1_000);
  expect(rig.allServe()).toBe(false);
  expect(rig.runFor(3_500, () => rig.allServe())).toBe(true);
  expect(rig.configs.some(({ primary }) => primary === victim)).toBe(false);
  expect(rig.events.filter(({ name }) => name === 'shard.failedOver')).toHaveLength(1);
});

test.each(Array.from({ length: 20 }, (_, i) => i + 1))(
  'G8: after storm %i every shard ends where placement wants it',
  { timeout: 60_000 },
  (seed) => {
    const rig = plannerStorm(seed);
    expect(rig.runFor(1_200_000, () => rig.isSettled())).toBe(true);
    rig.runFor(30_000);
    expect(rig.isSettled()).toBe(true);
  },
);
