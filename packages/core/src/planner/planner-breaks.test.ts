import type { NodeId } from '@memgrid/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import type { BreakableRule } from '../breakable-rules.ts';
import { Random } from '../random.ts';
import { breakRule, mendRules } from '../testing/breaks.ts';
import { PlannerRig } from '../testing/planner-rig.ts';
import { plannerStorm } from '../testing/planner-storm.ts';

// What the build condition "memgrid-breaks" does for the simulator.
vi.mock('#breaks', () => import('../testing/breaks.ts'));

afterEach(mendRules);

test.each<[BreakableRule, RegExp]>([
  ['planner.live-majority-for-failover', /without a living majority|takes away a living majority/],
  ['planner.caught-up-before-switch', /are complete/],
  ['planner.active-before-stable', /ends before it is active/],
  ['control.epoch-compare-and-set', /the epoch went back|two configurations|cannot be followed by/],
])('G9: a storm finds out who breaks %s', { timeout: 60_000 }, (rule, problem) => {
  breakRule(rule);
  const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
  expect(seeds.map(problemOf).join('\n')).toMatch(problem);
});

function problemOf(seed: number): string {
  try {
    plannerStorm(seed);
    return '';
  } catch (error) {
    return String(error);
  }
}

test('G3: without a new epoch a restarted primary never serves again', () => {
  breakRule('planner.generation-mismatch-bumps');
  const rig = new PlannerRig({
    random: Random.of(1),
    shardCount: 32,
    replicationFactor: 3,
    lostPercent: 0,
    doubledPercent: 0,
    streamMsMax: 1_000,
  });
  for (let i = 0; i < 3; i++) rig.join();
  rig.runFor(60_000, () => rig.isSettled());
  const [victim] = rig.running as [NodeId];
  rig.crash(victim);
  rig.runFor(500);
  rig.restart(victim);
  expect(rig.runFor(20_000, () => rig.allServe())).toBe(false);
});
