import { clusterId, generation, groupEpoch, logIndex, nodeId, shardId } from '@memgrid/protocol';
import type { NodeId, ShardConfig } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { Instant } from '../machine.ts';
import type { MemberView } from '../membership/membership-io.ts';
import type { ControlView } from '../node-status.ts';
import { CLUSTER } from './cluster-machine-io.ts';
import { Departure, type DepartureFacts } from './departure.ts';

const SELF = nodeId('1'.repeat(32));
const B = nodeId('2'.repeat(32));
const C = nodeId('3'.repeat(32));
const at = (ms: number): Instant => ms as Instant;

function configOf(shard: number, primary: NodeId, epoch = 1): ShardConfig {
  return {
    shard: shardId(shard, 8),
    epoch,
    stage: 'stable',
    primary,
    primaryGeneration: generation(1),
    replicas: [SELF, B, C],
    next: [],
    session: 0,
  };
}

function factsOf(
  shards: readonly ShardConfig[],
  { alive = [SELF, B, C], isLeader = false }: { alive?: NodeId[]; isLeader?: boolean } = {},
): DepartureFacts {
  const control = {
    clusterId: clusterId('c'.repeat(32)),
    groupEpoch: groupEpoch(1),
    index: logIndex(1),
    members: [SELF, B, C].map((node) => ({ nodeId: node, generation: generation(1) })),
    shards,
  } as unknown as ControlView;
  const members = alive.map((node) => ({
    nodeId: node,
    generation: generation(1),
    liveness: 'alive',
  })) as unknown as MemberView[];
  return { self: SELF, isLeader, control, members };
}

test('N6: primaries go to others evenly, then the role, then a goodbye, and it ends', () => {
  const departure = new Departure();
  const before = [configOf(0, SELF), configOf(1, SELF), configOf(2, B)];
  const steps = departure.begin(at(0), factsOf(before, { isLeader: true }));
  expect(steps.map(({ kind }) => kind)).toEqual(['group']);
  expect(steps[0]).toMatchObject({ input: { kind: 'change' } });
  expect(departure.begin(at(1), factsOf(before))).toEqual([]);
  // Half of it has committed.
  const half = [configOf(0, B, 2), configOf(1, SELF), configOf(2, B)];
  expect(departure.placed(at(1), factsOf(half, { isLeader: true }))).toEqual([]);
  const all = [configOf(0, B, 2), configOf(1, C, 2), configOf(2, B)];
  expect(departure.placed(at(2), factsOf(all, { isLeader: true }))).toMatchObject([
    { kind: 'group', input: { kind: 'transfer' } },
  ]);
  expect(departure.handedOver(at(3))).toMatchObject([
    { kind: 'group', input: { kind: 'retire' } },
    { kind: 'goodbye' },
  ]);
  expect(departure.wakeAt).toBe(3 + CLUSTER.goodbyeMs);
  const last = departure.wake(at(3 + CLUSTER.goodbyeMs));
  expect(last.map(({ kind }) => kind)).toEqual(['group', 'gone']);
  expect(departure.wakeAt).toBeUndefined();
});

test('N6: what others who leave too give to this node does not keep it', () => {
  const departure = new Departure();
  departure.begin(at(0), factsOf([configOf(0, SELF), configOf(1, B)]));
  const crossed = [configOf(0, B, 2), configOf(1, SELF, 2)];
  const steps = departure.placed(at(1), factsOf(crossed));
  expect(steps.map(({ kind }) => kind)).toEqual(['group', 'goodbye']);
});

test('N6: a shard that nobody else serves does not keep a node from leaving', () => {
  const departure = new Departure();
  const alone = { ...configOf(0, SELF), replicas: [SELF] };
  departure.begin(at(0), factsOf([alone, configOf(1, SELF)]));
  const steps = departure.placed(at(1), factsOf([alone, configOf(1, C, 2)]));
  expect(steps.map(({ kind }) => kind)).toEqual(['group', 'goodbye']);
});

test('N6: without anybody to take over, a node says goodbye at once', () => {
  const departure = new Departure();
  const steps = departure.begin(at(0), factsOf([configOf(0, SELF)], { alive: [SELF] }));
  expect(steps.map(({ kind }) => kind)).toEqual(['group', 'goodbye']);
});

test('N6: a hand-over that does not come about is given up after two seconds', () => {
  const departure = new Departure();
  departure.begin(at(0), factsOf([configOf(0, SELF)]));
  expect(departure.wakeAt).toBe(CLUSTER.handOverMs);
  const steps = departure.wake(at(CLUSTER.handOverMs));
  expect(steps.map(({ kind }) => kind)).toEqual(['group', 'goodbye']);
});
