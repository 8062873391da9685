import {
  clusterId,
  encodeCommand,
  generation,
  groupEpoch,
  logIndex,
  nodeId,
  shardId,
  term,
  WireError,
  type ControlCommand,
  type LogEntry,
  type LogIndex,
  type MemberStatus,
  type NodeId,
  type ShardConfig,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { Instant } from '../machine.ts';
import type { RegisteredMember } from '../node-status.ts';
import type { ControlFeedEffect } from './control-feed-io.ts';
import { ControlFeed } from './control-feed.ts';
import { decodeControlImage, encodeControlImage } from './control-image.ts';
import { ControlState } from './control-state.ts';
import { recoveredShards } from './shard-recovery.ts';

const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((digit) => nodeId(digit.repeat(32))) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
];
const COUNT = 8;
const NOW = 0 as Instant;

function memberOf(id: NodeId, status: MemberStatus): RegisteredMember {
  return {
    nodeId: id,
    generation: generation(3),
    address: 'host:7700',
    zone: '',
    weight: 100,
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    instance: 1,
    status,
  };
}

function configOf(shard: number, overrides: Partial<ShardConfig> = {}): ShardConfig {
  return {
    shard: shardId(shard, 4096),
    epoch: 1,
    stage: 'stable',
    primary: A,
    primaryGeneration: generation(3),
    replicas: [A, B, C],
    next: [],
    session: 0,
    ...overrides,
  };
}

const create: ControlCommand = { kind: 'createShards', shardCount: COUNT, replicationFactor: 3 };
const assign = (...changes: ShardConfig[]): ControlCommand => ({ kind: 'assignShards', changes });
const everything = assign(...Array.from({ length: COUNT }, (_, shard) => configOf(shard)));

function stateOf(...commands: readonly ControlCommand[]): ControlState {
  const state = new ControlState({
    clusterId: clusterId('e'.repeat(32)),
    groupEpoch: groupEpoch(1),
    index: logIndex(1),
    term: term(1),
    members: [A, B, C].map((id) => memberOf(id, 'normal')).concat(memberOf(D, 'expelled')),
    targetVoters: 1,
    features: [],
    level: 'normal',
    shards: undefined,
    schemas: undefined,
  });
  for (const command of commands) apply(state, command);
  return state;
}

function apply(state: ControlState, command: ControlCommand): ReturnType<ControlState['apply']> {
  return state.apply((state.index + 1) as LogIndex, term(1), command);
}

test.each<[string, ControlCommand, RegExp]>([
  ['a count that is no power of two', { ...create, shardCount: 24 }, /power of two from 8 to 4096/],
  ['too few shards', { ...create, shardCount: 4 }, /power of two from 8 to 4096/],
  ['no replica', { ...create, replicationFactor: 0 }, /from 1 to 7/],
])('C7: shards cannot be created with %s', (_name, command, problem) => {
  const state = stateOf(command);
  expect(state.problemWith(command)).toMatch(problem);
  expect(state.view().shardCount).toBe(0);
});

test('C7: shards are created once', () => {
  const state = stateOf(create);
  expect(state.problemWith({ ...create, shardCount: 16 })).toMatch(/has 8 shards already/);
  apply(state, { ...create, shardCount: 16 });
  expect(state.view()).toMatchObject({ shardCount: COUNT, replicationFactor: 3 });
});

test('C7: shards are shown once each of them has an owner', () => {
  const state = stateOf(create, assign(configOf(0), configOf(1)));
  expect(state.view().shards).toEqual([]);
  expect(state.takeChangedShards()).toEqual([]);
  apply(state, everything);
  expect(state.view().shards.map(({ shard }) => shard)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(state.takeChangedShards()).toHaveLength(COUNT);
  expect(state.takeChangedShards()).toEqual([]);
});

test('C9: a change with any other epoch than the next is ignored, and the others are applied', () => {
  const state = stateOf(create, everything);
  state.takeChangedShards();
  const events = apply(
    state,
    assign(
      configOf(1, { epoch: 1, primary: B }),
      configOf(2, { epoch: 2, primary: B }),
      configOf(3, { epoch: 3, primary: B }),
    ),
  );
  expect(events).toContainEqual({ name: 'shards.assigned', changed: 1, stale: 2 });
  expect(events.map(({ name }) => name)).not.toContain('command.ignored');
  expect(state.takeChangedShards()).toEqual([configOf(2, { epoch: 2, primary: B })]);
});

test('C9: the same command again changes nothing', () => {
  const state = stateOf(create, everything);
  const before = state.image().shards;
  const again = apply(state, everything);
  expect(again).toContainEqual({ name: 'shards.assigned', changed: 0, stale: COUNT });
  expect(state.image().shards).toEqual(before);
  expect(state.problemWith(everything)).toMatch(/Shard 7: Epoch 1 does not follow 1/);
});

test.each<[string, Partial<ShardConfig>, RegExp]>([
  ['a stranger', { stage: 'admit', next: [B, C, nodeId('f'.repeat(32))] }, /No member f+ is/],
  ['an expelled member', { stage: 'admit', next: [B, C, D] }, /d+ is expelled/],
  ['a life that is not registered', { primaryGeneration: generation(4) }, /not registered/],
  ['a shard beyond the last', { shard: shardId(8, 16), epoch: 1 }, /There are 8 shards/],
])('C10: %s gets no shard', (_name, overrides, problem) => {
  const session = overrides.stage === 'admit' ? 2 : 0;
  const change = configOf(0, { epoch: 2, session, ...overrides });
  const state = stateOf(create, everything);
  expect(state.problemWith(assign(change))).toMatch(problem);
  const events = apply(state, assign(change));
  expect(events.find(({ name }) => name === 'command.ignored')).toMatchObject({
    detail: expect.stringMatching(/1 of 1, the first of shard/),
  });
});

test('C10: a replica that was expelled stays in its set until a move replaces it', () => {
  const state = stateOf(create, everything);
  apply(state, { kind: 'setStatus', nodeId: C, status: 'expelled' });
  const failedOver = configOf(0, { epoch: 2, primary: B });
  expect(state.problemWith(assign(failedOver))).toBeUndefined();
  const toTheExpelled = configOf(0, { epoch: 2, primary: C });
  expect(state.problemWith(assign(toTheExpelled))).toMatch(/c+ is expelled/);
});

test('C4: shards survive the encoding of an image, also while only some have owners', () => {
  for (const state of [stateOf(create, everything), stateOf(create, assign(configOf(3)))]) {
    const image = decodeControlImage(encodeControlImage(state.image()));
    expect(image).toEqual(state.image());
    const copy = new ControlState(image);
    apply(copy, everything);
    apply(state, everything);
    expect(copy.image()).toEqual(state.image());
  }
});

test('C6: an image with a shard beyond the last is no state', () => {
  const { shards, ...image } = stateOf(create, everything).image();
  const bytes = encodeControlImage({ ...image, shards });
  expect(decodeControlImage(bytes).shards?.configs).toHaveLength(COUNT);
  const configs = [configOf(COUNT)];
  const wrong = { ...image, shards: { shardCount: COUNT, replicationFactor: 3, configs } };
  expect(() => encodeControlImage(wrong)).toThrow(WireError);
});

test('C7: a view is a few references, and unchanged shards are the same objects', () => {
  const state = stateOf(create, everything);
  const before = state.view();
  expect(state.view().shards).toBe(before.shards);
  expect(state.view().members).toBe(before.members);
  apply(state, assign(configOf(5, { epoch: 2, primary: B })));
  const now = state.view().shards;
  expect(before.shards[5]?.epoch).toBe(1);
  expect(now.filter((config, shard) => config !== before.shards[shard])).toEqual([
    configOf(5, { epoch: 2, primary: B }),
  ]);
});

test('C11: after a forced recovery epochs begin beyond whatever the lost majority can have used', () => {
  const { shards } = stateOf(create, everything).image();
  const once = recoveredShards(shards, groupEpoch(2));
  const twice = recoveredShards(once, groupEpoch(3));
  for (const [before, after] of [
    [shards, once],
    [once, twice],
  ]) {
    const epochs = after?.configs.map(({ epoch }) => epoch) ?? [];
    expect(Math.min(...epochs)).toBeGreaterThan((before?.configs[0]?.epoch ?? 0) + 2 ** 23);
    // An entry is stored with 32 bits of it.
    expect(Math.max(...epochs)).toBeLessThan(2 ** 32);
  }
  const last = recoveredShards(shards, groupEpoch(256))?.configs.map(({ epoch }) => epoch) ?? [];
  expect(Math.max(...last)).toBeLessThan(2 ** 32);
  expect(() => recoveredShards(shards, groupEpoch(257))).toThrow(/have room for 256/);
  expect(recoveredShards(undefined, groupEpoch(2))).toBeUndefined();
});

const revive: ControlCommand = { kind: 'reviveShards' };
const expel = (id: NodeId): ControlCommand => ({
  kind: 'setStatus',
  nodeId: id,
  status: 'expelled',
});

test('C13: shards that lost their majority for good go on with what is left, by an operator’s word', () => {
  const state = stateOf(create, everything, expel(A));
  // Two of three are a majority: the planner replaces the third without any loss.
  expect(state.problemWith(revive)).toMatch(/no shard that lost its majority/);
  apply(state, expel(B));
  state.takeChangedShards();
  const events = apply(state, revive);
  expect(events).toContainEqual({ name: 'shards.revived', count: COUNT });
  expect(state.takeChangedShards()).toEqual(
    Array.from({ length: COUNT }, (_, shard) =>
      configOf(shard, { epoch: 2, primary: C, replicas: [C] }),
    ),
  );
  expect(state.problemWith(revive)).toMatch(/no shard that lost its majority/);
});

test('C13: with nobody left there is nothing to revive, and who only left is waited for', () => {
  const none = stateOf(create, everything, expel(A), expel(B), expel(C));
  expect(none.problemWith(revive)).toMatch(/has a copy left/);
  const left = stateOf(create, everything);
  for (const nodeId of [A, B]) apply(left, { kind: 'setStatus', nodeId, status: 'left' });
  expect(left.problemWith(revive)).toMatch(/no shard that lost its majority/);
});

test('C13: in the middle of a move those go on who served', () => {
  const E = nodeId('1'.repeat(32));
  const F = nodeId('2'.repeat(32));
  const join = [E, F].map((id): ControlCommand => {
    const { status: _, ...member } = memberOf(id, 'joining');
    return { kind: 'register', member };
  });
  const admit = configOf(0, { epoch: 2, stage: 'admit', next: [C, E, F], session: 2 });
  const dual: ShardConfig = { ...admit, epoch: 3, stage: 'dual' };
  const begun = stateOf(create, everything, ...join, assign(admit), assign(dual));
  // The old set has its majority: the move is rolled back, and nothing is lost.
  apply(begun, expel(E));
  apply(begun, expel(F));
  expect(begun.problemWith(revive)).toMatch(/no shard/);
  const switched = assign({ ...dual, epoch: 4, stage: 'switch', primary: E });
  const state = stateOf(create, everything, ...join, assign(admit), assign(dual), switched);
  apply(state, expel(E));
  apply(state, expel(F));
  apply(state, revive);
  expect(state.view().shards[0]).toEqual(configOf(0, { epoch: 5, primary: C, replicas: [C] }));
});

// The feed.

const entryOf = (index: number, command: ControlCommand): LogEntry => ({
  index: logIndex(index),
  term: term(1),
  payload: { kind: 'command', command: encodeCommand(command) },
});

function changedShards(effects: readonly ControlFeedEffect[]): readonly ShardConfig[] {
  return effects.flatMap((effect) => (effect.kind === 'changed' ? effect.shards : []));
}

test('C12: whoever applies a change is told which shards it changed, as they are now', () => {
  const feed = new ControlFeed(stateOf());
  const first = feed.step(NOW, {
    kind: 'committed',
    entries: [entryOf(2, create), entryOf(3, everything)],
  });
  expect(changedShards(first)).toHaveLength(COUNT);
  const moved = configOf(2, { epoch: 3, primary: C });
  const second = feed.step(NOW, {
    kind: 'committed',
    entries: [
      entryOf(4, assign(configOf(2, { epoch: 2, primary: B }))),
      entryOf(5, assign(moved)),
      entryOf(6, { kind: 'setLevel', level: 'readOnly' }),
    ],
  });
  expect(changedShards(second)).toEqual([moved]);
});

test('C12: a restored state tells what differs from the one before', () => {
  const later = stateOf(create, everything, assign(configOf(6, { epoch: 2, primary: B })));
  const behind = new ControlFeed(stateOf(create, everything));
  const caughtUp = behind.step(NOW, { kind: 'restored', image: later.image() });
  expect(changedShards(caughtUp)).toEqual([configOf(6, { epoch: 2, primary: B })]);
  const fresh = new ControlFeed(undefined);
  const everyShard = fresh.step(NOW, { kind: 'restored', image: later.image() });
  expect(changedShards(everyShard)).toHaveLength(COUNT);
});
