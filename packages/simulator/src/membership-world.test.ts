import { expect, test } from 'vitest';
import { MembershipWorld } from './membership-world.ts';

test('S14: a silent and a killed node are known everywhere in time, and nobody else dies', () => {
  const world = new MembershipWorld({ seed: 1, nodes: 30 });
  world.run(5_000);
  world.silence(3);
  expect(world.runUntil(() => world.isKnownDead(3), 20_000)).toBeLessThan(12_000);
  world.kill(4);
  expect(world.runUntil(() => world.isKnownDead(4), 20_000)).toBeLessThan(4_000);
  expect(world.falseDeathCount).toBe(0);
  world.restart(4);
  world.restart(3);
  expect(
    world.runUntil(() => world.deadViewCount(3) + world.deadViewCount(4) === 0, 30_000),
  ).toBeDefined();
});

test('S14: gossip costs each node the same in a small and in a larger cluster', () => {
  const cost = (nodes: number): number => {
    const world = new MembershipWorld({ seed: 1, nodes });
    world.run(10_000);
    const before = world.messageCount;
    world.run(20_000);
    return (world.messageCount - before) / nodes / 20;
  };
  const [small, large] = [cost(10), cost(100)];
  expect(small).toBeLessThan(4);
  expect(large).toBeLessThan(small * 1.2);
});

test('S14: pauses like those of a collector, and loss, kill nobody', () => {
  const world = new MembershipWorld({ seed: 5, nodes: 7, lossShare: 0.05 });
  world.pauseEverybody({ msMin: 50, msMax: 400, everyMs: 1_000 });
  world.run(1_800_000);
  expect(world.falseDeathCount).toBe(0);
});

test('S14: the same seed sends the same messages', () => {
  const sent = (seed: number): number => {
    const world = new MembershipWorld({ seed, nodes: 20, lossShare: 0.1 });
    world.run(30_000);
    return world.messageCount;
  };
  expect(sent(3)).toBe(sent(3));
  expect(sent(3)).not.toBe(sent(4));
});
