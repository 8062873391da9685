import type { NodeId, ShardConfig, ShardReport } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { Instant } from '../machine.ts';
import { Random } from '../random.ts';
import { PlannerRig, type PlannerRigOptions } from '../testing/planner-rig.ts';
import { PLANNER } from './planner-config.ts';
import type { PlannerEvent } from './planner-io.ts';
import { Planner } from './planner.ts';
import { drainProgress, moveProgress } from './progress.ts';

function started(nodes: number, options: Partial<PlannerRigOptions> = {}): PlannerRig {
  const rig = new PlannerRig({
    random: Random.of(7),
    shardCount: 32,
    replicationFactor: 3,
    lostPercent: 0,
    doubledPercent: 0,
    streamMsMax: 1_000,
    ...options,
  });
  for (let i = 0; i < nodes; i++) rig.join();
  expect(rig.runFor(60_000, () => rig.isSettled())).toBe(true);
  // Whatever is settled now has been so for long.
  rig.runFor(30_000);
  rig.events.length = 0;
  return rig;
}

function named<N extends PlannerEvent['name']>(
  rig: PlannerRig,
  name: N,
): readonly Extract<PlannerEvent, { name: N }>[] {
  return rig.events.filter((event) => event.name === name) as Extract<PlannerEvent, { name: N }>[];
}

const reasons = (events: readonly { readonly reason: string }[]): readonly string[] => [
  ...new Set(events.map(({ reason }) => reason)),
];

const holding = (rig: PlannerRig, node: NodeId): readonly ShardConfig[] =>
  rig.configs.filter(({ replicas }) => replicas.includes(node));

test('G1: founders that do not show up are not waited for longer than five seconds', () => {
  const rig = new PlannerRig({
    random: Random.of(7),
    shardCount: 8,
    replicationFactor: 3,
    lostPercent: 0,
    doubledPercent: 0,
    streamMsMax: 1_000,
  });
  rig.join();
  rig.join();
  const absent = rig.join({ absent: true });
  rig.runFor(4_000);
  expect(rig.configs).toEqual([]);
  rig.runFor(3_000);
  expect(rig.configs).toHaveLength(8);
  expect(holding(rig, absent)).toEqual([]);
  rig.restart(absent);
  expect(rig.runFor(120_000, () => rig.isSettled())).toBe(true);
  expect(holding(rig, absent)).toHaveLength(8);
});

test('G1: half of the first layout is completed by the next coordinator', () => {
  const rig = new PlannerRig({
    random: Random.of(7),
    shardCount: 8,
    replicationFactor: 2,
    lostPercent: 100,
    doubledPercent: 0,
    streamMsMax: 1_000,
  });
  for (let i = 0; i < 3; i++) rig.join();
  const planner = new Planner();
  planner.setLeading(0 as Instant, true);
  const first = planner.round(0 as Instant, rig.facts());
  expect(first.proposals.map(({ command }) => command.kind)).toEqual([
    'createShards',
    'assignShards',
  ]);
  rig.apply({ kind: 'createShards', shardCount: 8, replicationFactor: 2 });
  rig.changeCoordinator();
  const next = new Planner();
  next.setLeading(0 as Instant, true);
  const second = next.round(0 as Instant, rig.facts());
  expect(second.proposals.map(({ command }) => command.kind)).toEqual(['assignShards']);
});

test('G2: without a living majority nothing is decided, and the shards are told to be stuck', () => {
  const rig = started(3);
  const epochs = rig.configs.map(({ epoch }) => epoch);
  const [one, two] = rig.running as [NodeId, NodeId];
  rig.crash(one);
  rig.crash(two);
  rig.runFor(100_000);
  // The first death was seen before the second, so at most one epoch each.
  rig.configs.forEach(({ epoch }, shard) => {
    expect(epoch - (epochs[shard] ?? 0)).toBeLessThanOrEqual(1);
  });
  expect(named(rig, 'shard.stuck').at(-1)).toMatchObject({ reason: 'noMajority', count: 32 });
  rig.restart(one);
  expect(rig.runFor(10_000, () => rig.allServe())).toBe(true);
});

test('G2: the dead primary’s shards are shared out among those who are left', () => {
  const rig = started(5, { shardCount: 64 });
  const [victim] = rig.running as [NodeId];
  const led = rig.configs.filter(({ primary }) => primary === victim);
  rig.crash(victim);
  rig.runFor(4_000, () => named(rig, 'shard.failedOver').length > 0);
  const heirs = led.map(({ shard }) => rig.configs[shard]?.primary);
  const shares = rig.running.map((node) => heirs.filter((heir) => heir === node).length);
  expect(Math.max(...shares)).toBeLessThanOrEqual(Math.ceil(led.length / 2));
  expect(named(rig, 'shard.failedOver')).toMatchObject([{ reason: 'dead', count: led.length }]);
});

test('G3: a primary that is back before it is believed dead leads on, in a new epoch', () => {
  const rig = started(3);
  const [victim] = rig.running as [NodeId];
  const before = rig.configs.filter(({ primary }) => primary === victim);
  rig.crash(victim);
  rig.runFor(1_000);
  rig.restart(victim);
  expect(rig.runFor(3_000, () => rig.allServe())).toBe(true);
  const after = before.map(({ shard }) => rig.configs[shard]);
  expect(after).toEqual(
    before.map((config) => ({ ...config, epoch: config.epoch + 1, primaryGeneration: 2 })),
  );
  expect(reasons(named(rig, 'shard.failedOver'))).toEqual(['restarted']);
});

test('G5: a replica that is away for half a minute is replaced, and one that returns is not', () => {
  const rig = started(4);
  const [brief, long] = rig.running as [NodeId, NodeId];
  rig.crash(brief);
  rig.runFor(25_000);
  rig.restart(brief);
  rig.runFor(60_000);
  expect(named(rig, 'move.planned')).toEqual([]);
  rig.crash(long);
  rig.runFor(25_000);
  expect(named(rig, 'move.planned')).toEqual([]);
  rig.runFor(120_000);
  expect(reasons(named(rig, 'move.planned'))).toEqual(['repair']);
  expect(holding(rig, long)).toEqual([]);
  expect(rig.configs.every(({ replicas }) => replicas.length === 3)).toBe(true);
});

test('G5: who was expelled is replaced at once, and loses its primaries before', () => {
  const rig = started(4);
  const [expelled] = rig.running as [NodeId];
  rig.setStatus(expelled, 'expelled');
  rig.crash(expelled);
  rig.runFor(2_000);
  expect(rig.allServe()).toBe(true);
  expect(reasons(named(rig, 'shard.failedOver'))).toEqual(['gone']);
  expect(rig.runFor(20_000, () => holding(rig, expelled).length === 0)).toBe(true);
  expect(reasons(named(rig, 'move.planned'))).toEqual(['repair']);
});

test('G12: shards whose majority was expelled wait for the operator, and recover by themselves then', () => {
  const rig = started(5);
  const [one, two] = rig.running as [NodeId, NodeId];
  for (const node of [one, two]) {
    rig.setStatus(node, 'expelled');
    rig.crash(node);
  }
  const lost = rig.configs.filter(
    ({ replicas }) => replicas.includes(one) && replicas.includes(two),
  );
  rig.runFor(120_000);
  expect(named(rig, 'shard.stuck').at(-1)).toMatchObject({
    reason: 'noMajority',
    count: lost.length,
  });
  expect(rig.idleCount()).toBe(lost.length);
  rig.apply({ kind: 'reviveShards' });
  expect(rig.runFor(120_000, () => rig.isSettled())).toBe(true);
});

test('G5: with nobody to take its place a dead replica keeps it', () => {
  const rig = started(3);
  const [victim] = rig.running as [NodeId];
  rig.crash(victim);
  rig.runFor(300_000);
  expect(holding(rig, victim)).toHaveLength(32);
  expect(named(rig, 'move.planned')).toEqual([]);
});

test('G5: a dead replica keeps its place while the only other one is drained, and not afterwards', () => {
  const rig = started(3);
  const [victim, leaver] = rig.running as [NodeId, NodeId];
  rig.setStatus(leaver, 'draining');
  rig.crash(victim);
  const fourth = rig.join();
  expect(rig.runFor(300_000, () => named(rig, 'member.drained').length > 0)).toBe(true);
  rig.runFor(120_000);
  // Both who stay have everything, and a third copy would have nowhere to be.
  expect(holding(rig, fourth)).toHaveLength(32);
  expect(holding(rig, victim)).toHaveLength(32);
  rig.setStatus(leaver, 'normal');
  expect(rig.runFor(120_000, () => holding(rig, victim).length === 0)).toBe(true);
  expect(holding(rig, leaver)).toHaveLength(32);
});

test('G6: no more than a tenth of the shards move at a time, and 16 into one node', () => {
  const rig = started(3, { shardCount: 512, streamMsMax: 5_000 });
  const fourth = rig.join();
  let most = 0;
  rig.runFor(60_000, () => {
    const moving = rig.configs.filter(({ stage }) => stage !== 'stable');
    most = Math.max(most, moving.filter(({ next }) => next.includes(fourth)).length);
    expect(moving.length).toBeLessThanOrEqual(52);
    return false;
  });
  expect(most).toBe(PLANNER.incomingMax);
});

test('G6: one round begins few moves and takes few a step further, whatever waits', () => {
  const rig = started(3, { shardCount: 512 });
  rig.join();
  rig.runFor(30_000);
  for (const name of ['move.planned', 'move.finished'] as const) {
    const counts = named(rig, name).map(({ count }) => count);
    expect(Math.max(...counts)).toBeGreaterThan(1);
    expect(Math.max(...counts)).toBeLessThanOrEqual(8);
  }
});

test('G6: nodes that join together are one plan', () => {
  const rig = started(3, { shardCount: 64 });
  rig.join();
  rig.runFor(3_000);
  rig.join();
  rig.runFor(3_000);
  rig.join();
  expect(rig.runFor(300_000, () => rig.isSettled())).toBe(true);
  const planned = named(rig, 'move.planned').reduce((sum, { count }) => sum + count, 0);
  expect(planned).toBeLessThanOrEqual(64);
});

test('G7: a move is rolled back when a joiner dies, and tried again when it is back', () => {
  const rig = started(3, { streamMsMax: 20_000 });
  const fourth = rig.join();
  rig.runFor(30_000, () => rig.configs.some(({ stage }) => stage === 'dual'));
  rig.crash(fourth);
  rig.runFor(20_000);
  expect(rig.configs.every(({ stage }) => stage === 'stable')).toBe(true);
  expect(reasons(named(rig, 'move.rolledBack'))).toEqual(['joinerLost']);
  expect(rig.allServe()).toBe(true);
  rig.restart(fourth);
  expect(rig.runFor(600_000, () => rig.isSettled())).toBe(true);
});

test('G7: a stream that never ends is given up, each time after a longer rest', () => {
  const rig = started(3, { shardCount: 8, streamMsMax: 1_000_000_000 });
  rig.join();
  const plannedAt: number[] = [];
  let seen = 0;
  rig.runFor(900_000, () => {
    const count = named(rig, 'move.planned').filter(({ shards }) =>
      shards.includes(0 as never),
    ).length;
    if (count > seen) plannedAt.push(rig.now);
    seen = count;
    return false;
  });
  expect(reasons(named(rig, 'move.rolledBack'))).toEqual(['noProgress']);
  const pauses = plannedAt.slice(1).map((at, i) => at - (plannedAt[i] ?? 0));
  expect(pauses.length).toBeGreaterThan(2);
  pauses.forEach((pause, i) => {
    expect(pause).toBeGreaterThanOrEqual(PLANNER.stallMs + PLANNER.retryMs * 2 ** i);
  });
  expect(rig.allServe()).toBe(true);
});

test('G9: a lost proposal is repeated after three seconds, not earlier', () => {
  const rig = started(3);
  const [victim] = rig.running as [NodeId];
  const planner = new Planner();
  planner.setLeading(rig.now as Instant, true);
  rig.crash(victim);
  rig.runFor(2_900);
  const facts = rig.facts();
  const dead = facts.members.map((view) =>
    view.nodeId === victim ? { ...view, liveness: 'dead' as const } : view,
  );
  const round = (ms: number): number =>
    planner.round((rig.now + ms) as Instant, { ...facts, members: dead }).proposals.length;
  expect([round(0), round(1_000), round(2_900), round(3_000)]).toEqual([1, 0, 0, 1]);
});

test('G10: a draining member hands over its primaries, then its replicas, and is told to be empty', () => {
  const rig = started(4);
  const [leaver] = rig.running as [NodeId];
  const before = drainProgress(rig.control.view(), leaver);
  expect(before).toEqual({
    replicasLeft: holding(rig, leaver).length,
    primariesLeft: rig.configs.filter(({ primary }) => primary === leaver).length,
    total: Math.max(24, holding(rig, leaver).length),
  });
  rig.setStatus(leaver, 'draining');
  rig.runFor(60_000, () => drainProgress(rig.control.view(), leaver).primariesLeft === 0);
  expect(drainProgress(rig.control.view(), leaver).replicasLeft).toBeGreaterThan(0);
  expect(rig.runFor(120_000, () => named(rig, 'member.drained').length > 0)).toBe(true);
  rig.runFor(10_000);
  expect(drainProgress(rig.control.view(), leaver)).toMatchObject({
    replicasLeft: 0,
    primariesLeft: 0,
  });
  expect(named(rig, 'member.drained')).toEqual([{ name: 'member.drained', member: leaver }]);
  expect(reasons(named(rig, 'move.planned'))).toEqual(['drain']);
});

test('G10: a drain is planned although coordinators come and go', () => {
  const rig = started(5);
  const [leaver] = rig.running as [NodeId];
  rig.setStatus(leaver, 'draining');
  // No coordinator lives for as long as quiet takes.
  for (let life = 0; life < 4; life++) {
    rig.runFor(PLANNER.quietMs - 500);
    rig.changeCoordinator();
  }
  expect(named(rig, 'move.planned').length).toBeGreaterThan(0);
});

test('G10: the third of three members drains to two replicas', () => {
  const rig = started(3);
  const [leaver] = rig.running as [NodeId];
  rig.setStatus(leaver, 'draining');
  expect(rig.runFor(300_000, () => named(rig, 'member.drained').length > 0)).toBe(true);
  expect(rig.configs.every(({ replicas }) => replicas.length === 2)).toBe(true);
});

test('G11: primaries return to a restarted node after ten healthy seconds, a few at a time', () => {
  const rig = started(3, { shardCount: 256 });
  const [victim] = rig.running as [NodeId];
  rig.crash(victim);
  rig.runFor(8_000);
  rig.restart(victim);
  rig.runFor(9_000);
  expect(rig.configs.some(({ primary }) => primary === victim)).toBe(false);
  rig.events.length = 0;
  let idle = 0;
  expect(
    rig.runFor(120_000, () => {
      idle = Math.max(idle, rig.idleCount());
      return rig.isSettled();
    }),
  ).toBe(true);
  expect(idle).toBeLessThanOrEqual(PLANNER.handoversMax);
  expect(reasons(named(rig, 'shard.failedOver'))).toEqual(['balance']);
});

test('G12: the same trouble is told once a minute', () => {
  const rig = started(3);
  const [one, two] = rig.running as [NodeId, NodeId];
  rig.crash(one);
  rig.crash(two);
  rig.runFor(10_000);
  rig.events.length = 0;
  rig.runFor(5 * 60_000);
  expect(named(rig, 'shard.stuck')).toHaveLength(5);
});

test('G13: a primary that reports and does not serve is replaced; one that is silent is not', () => {
  const rig = started(3, { shardCount: 8 });
  const facts = rig.facts();
  const planner = new Planner();
  planner.setLeading(0 as Instant, true);
  const [config] = facts.control.shards as [ShardConfig];
  const others = facts.control.shards.filter(({ primary }) => primary === config.primary);
  const report = (of: ShardConfig, active: boolean): ShardReport => ({
    shard: of.shard,
    epoch: of.epoch,
    active,
    promised: of.replicas,
    caughtUp: of.replicas,
    entries: 0,
    bytes: 0,
  });
  const hear = (ms: number, reports: readonly ShardReport[]): void => {
    const generation = config.primaryGeneration;
    planner.heard(ms as Instant, config.primary, { type: 'shardReports', generation, reports });
  };
  planner.round(0 as Instant, facts);
  hear(
    1_000,
    others.map((other) => report(other, other !== config)),
  );
  expect(planner.round(29_000 as Instant, facts).proposals).toEqual([]);
  // All others were silent for just as long.
  const silent = planner.round(32_000 as Instant, facts);
  expect(silent.proposals).toEqual([]);
  hear(
    33_000,
    others.map((other) => report(other, other !== config)),
  );
  const { proposals } = planner.round(33_000 as Instant, facts);
  expect(proposals).toMatchObject([
    {
      events: [{ name: 'shard.failedOver', reason: 'inactive', count: 1, shards: [config.shard] }],
    },
  ]);
});

test('G4: a report of another epoch, node or generation moves nothing', () => {
  const rig = started(3, { shardCount: 8, streamMsMax: 1_000_000 });
  rig.join();
  rig.runFor(60_000, () => rig.configs.some(({ stage }) => stage === 'dual'));
  const facts = rig.facts();
  const config = facts.control.shards.find(({ stage }) => stage === 'dual') as ShardConfig;
  const report: ShardReport = {
    shard: config.shard,
    epoch: config.epoch,
    active: true,
    promised: [...config.replicas, ...config.next],
    caughtUp: config.next,
    entries: 0,
    bytes: 0,
  };
  const stepsAfter = (from: NodeId, generation: number, said: ShardReport): number => {
    const planner = new Planner();
    planner.setLeading(0 as Instant, true);
    const message = { type: 'shardReports', generation: generation as never, reports: [said] };
    planner.heard(0 as Instant, from, message as never);
    return planner.round(0 as Instant, facts).proposals.length;
  };
  const { primary, primaryGeneration } = config;
  const other = config.replicas.find((node) => node !== primary) as NodeId;
  expect(stepsAfter(primary, primaryGeneration, { ...report, epoch: config.epoch - 1 })).toBe(0);
  expect(stepsAfter(primary, primaryGeneration, { ...report, active: false })).toBe(0);
  expect(stepsAfter(primary, primaryGeneration + 1, report)).toBe(0);
  expect(stepsAfter(other, primaryGeneration, report)).toBe(0);
  const fewer = { ...report, caughtUp: config.next.slice(1) };
  expect(stepsAfter(primary, primaryGeneration, fewer)).toBe(0);
  expect(stepsAfter(primary, primaryGeneration, report)).toBe(1);
});

test('G4: progress is counted by stage and by node', () => {
  const rig = started(3, { shardCount: 8, streamMsMax: 1_000_000 });
  const fourth = rig.join();
  rig.runFor(60_000, () => rig.configs.filter(({ stage }) => stage === 'dual').length === 4);
  const progress = rig.planner.progress(rig.control.view());
  expect(progress).toMatchObject({ admit: 0, dual: 4, switch: 0 });
  expect(progress.nodes.find(({ node }) => node === fourth)).toMatchObject({
    incoming: 4,
    caughtUp: 0,
    incomingBytes: 4 * 30_000,
    outgoing: 0,
  });
  expect(progress.nodes.reduce((sum, { outgoing }) => sum + outgoing, 0)).toBe(4);
  expect(progress.waiting).toBeGreaterThan(0);
  expect(moveProgress(rig.control.view(), []).dual).toBe(4);
});

test('G8: a node that does not lead decides nothing', () => {
  const rig = started(3);
  const planner = new Planner();
  expect(planner.wakeAt).toBeUndefined();
  expect(planner.round(0 as Instant, rig.facts())).toEqual({ proposals: [], events: [] });
  planner.setLeading(0 as Instant, true);
  expect(planner.wakeAt).toBe(0);
  planner.setLeading(0 as Instant, false);
  expect(planner.wakeAt).toBeUndefined();
});
