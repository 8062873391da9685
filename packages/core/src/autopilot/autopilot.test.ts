import {
  clusterId,
  generation,
  groupEpoch,
  incarnation,
  LIMITS,
  logIndex,
  nodeId,
  term,
  type Liveness,
  type MemberStatus,
  type NodeId,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { MemberView } from '../membership/membership-io.ts';
import type { Instant } from '../machine.ts';
import type { RegisteredMember } from '../node-status.ts';
import { AUTOPILOT, type AutopilotAction, type AutopilotView } from './autopilot-io.ts';
import { Autopilot } from './autopilot.ts';

interface Case {
  readonly liveness?: Liveness;
  readonly status?: MemberStatus;
  readonly zone?: string;
  readonly role?: 'voter' | 'learner' | 'none';
  readonly behind?: number;
  readonly contactMs?: number;
  readonly unstable?: boolean;
  readonly clockSuspect?: boolean;
  readonly lagMs?: number;
  readonly sinceMs?: number;
  readonly generation?: number;
}

const COMMIT = 1_000;
const at = (ms: number): Instant => ms as Instant;

function id(number: number): NodeId {
  return nodeId(number.toString(16).padStart(32, '0'));
}

function memberOf(number: number, one: Case): MemberView {
  return {
    nodeId: id(number),
    generation: generation(one.generation ?? 1),
    incarnation: incarnation(0),
    liveness: one.liveness ?? 'alive',
    unstable: one.unstable ?? false,
    sinceMs: one.sinceMs ?? 0,
    meta: {
      address: `host${number}:7700`,
      httpAddress: '',
      zone: one.zone ?? '',
      weight: 100,
      protocolMin: 1,
      protocolMax: 1,
      features: [],
      leaveLock: new Uint8Array(16),
      clusterId: undefined,
      raftTerm: term(1),
      raftLeader: id(1),
      raftCommit: logIndex(COMMIT),
      loopLagP99Ms: one.lagMs ?? 0,
      heapPercent: 10,
      clockOffsetMs: 0,
      clockSuspect: one.clockSuspect ?? false,
    },
  };
}

function registeredOf(number: number, one: Case): RegisteredMember {
  return {
    nodeId: id(number),
    generation: generation(1),
    address: `host${number}:7700`,
    zone: one.zone ?? '',
    weight: 100,
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    instance: number,
    status: one.status ?? 'normal',
  };
}

/** Node 1 leads; each case describes one node, in order. */
function viewOf(
  cases: readonly Case[],
  overrides: { targetVoters?: number; lagMs?: number; unfinished?: boolean } = {},
): AutopilotView {
  const inRole = (role: Case['role']): NodeId[] =>
    cases.flatMap((one, index) => ((one.role ?? 'voter') === role ? [id(index + 1)] : []));
  const voters = inRole('voter');
  return {
    self: id(1),
    election: {
      role: 'leader',
      term: term(1),
      vote: id(1),
      leader: id(1),
      commit: logIndex(COMMIT),
      applied: logIndex(COMMIT),
      lastIndex: logIndex(COMMIT),
      firstIndex: logIndex(1),
      config: { voters, votersOutgoing: [], learners: inRole('learner') },
      configIndex: logIndex(overrides.unfinished === true ? COMMIT + 1 : 1),
      transferTarget: undefined,
    },
    progress: cases.slice(1).map((one, index) => ({
      peer: id(index + 2),
      match: logIndex(COMMIT - (one.behind ?? 0)),
      lastContactMs: one.contactMs ?? 100,
      state: 'replicate',
    })),
    members: cases.map((one, index) => memberOf(index + 1, one)),
    control: {
      clusterId: clusterId('c'.repeat(32)),
      groupEpoch: groupEpoch(1),
      index: logIndex(COMMIT),
      members: cases.map((one, index) => registeredOf(index + 1, one)),
      targetVoters: overrides.targetVoters ?? voters.length,
      features: {},
      level: 'normal',
      shardCount: 0,
      replicationFactor: 0,
      shards: [],
      schemas: { schemas: [], namespaces: [] },
    },
    loopLagP99Ms: overrides.lagMs ?? 0,
  };
}

/** The action of a leader that has watched the same picture for long enough to be sure of it. */
function settled(view: AutopilotView): AutopilotAction | undefined {
  const autopilot = new Autopilot(undefined);
  autopilot.setLeading(at(0), true);
  let action: AutopilotAction | undefined;
  for (let ms = 2_000; ms <= 100_000; ms += AUTOPILOT.roundMs)
    action = autopilot.round(at(ms), view);
  return action;
}

const voters = (action: AutopilotAction | undefined): readonly NodeId[] | undefined =>
  action?.kind === 'reconfigure' ? action.voters : undefined;

const LEARNER: Case = { role: 'learner' };
const DEAD: Case = { liveness: 'dead' };

test('A1: nothing is done while a change is unfinished', () => {
  const cases = [{}, {}, DEAD, LEARNER];
  expect(settled(viewOf(cases, { unfinished: true }))).toBeUndefined();
  expect(voters(settled(viewOf(cases)))).toEqual([id(1), id(2), id(4)]);
});

test('A1: a node that does not lead does nothing', () => {
  const autopilot = new Autopilot(undefined);
  expect(autopilot.wakeAt).toBeUndefined();
  expect(autopilot.round(at(0), viewOf([{}, {}, DEAD, LEARNER]))).toBeUndefined();
});

test('A2: a dead voter is swapped for a learner, in one change', () => {
  expect(settled(viewOf([{}, {}, DEAD, LEARNER]))).toMatchObject({
    kind: 'reconfigure',
    voters: [id(1), id(2), id(4)],
    learners: [],
    events: [{ name: 'voter.replaced', dead: id(3), by: id(4) }],
  });
});

test('A2: without a candidate the dead voter keeps its place', () => {
  expect(settled(viewOf([{}, {}, DEAD]))).toBeUndefined();
});

test('A2: a voter that has been dead for less than a minute keeps its place', () => {
  expect(settled(viewOf([{}, {}, { ...DEAD, sinceMs: 50_000 }, LEARNER]))).toBeUndefined();
});

test('A3: no change without a living majority', () => {
  expect(settled(viewOf([{}, DEAD, DEAD, LEARNER]))).toBeUndefined();
});

test.each([
  ['behind', { behind: AUTOPILOT.entriesBehindMax + 1 }],
  ['out of contact', { contactMs: AUTOPILOT.contactMsMax + 1 }],
  ['unstable', { unstable: true }],
  ['of a suspect clock', { clockSuspect: true }],
  ['slow', { lagMs: AUTOPILOT.loopLagMsMax + 1 }],
  ['suspected', { liveness: 'suspect' }],
] as const)('A4: a learner that is %s is not promoted', (_name, problem) => {
  expect(settled(viewOf([{}, {}, DEAD, { ...LEARNER, ...problem }]))).toBeUndefined();
});

test('A4: a learner that was unhealthy a moment ago has to wait', () => {
  const autopilot = new Autopilot(undefined);
  autopilot.setLeading(at(0), true);
  const sick = viewOf([{}, {}, DEAD, { ...LEARNER, unstable: true }]);
  const well = viewOf([{}, {}, DEAD, LEARNER]);
  autopilot.round(at(70_000), sick);
  expect(autopilot.round(at(72_000), well)).toBeUndefined();
  expect(autopilot.round(at(72_000 + AUTOPILOT.stableMs), well)).toBeDefined();
});

test('A5: the group grows by as many as keep it odd', () => {
  const base: Case[] = [{}];
  expect(settled(viewOf([...base, LEARNER], { targetVoters: 3 }))).toBeUndefined();
  expect(voters(settled(viewOf([...base, LEARNER, LEARNER], { targetVoters: 3 })))).toHaveLength(3);
  const four = [...base, LEARNER, LEARNER, LEARNER];
  expect(voters(settled(viewOf(four, { targetVoters: 5 })))).toHaveLength(3);
});

test('A5: the target follows the number of members, upwards only', () => {
  const three = viewOf([{}, LEARNER, LEARNER], { targetVoters: 1 });
  expect(settled(three)).toEqual({
    kind: 'propose',
    commands: [{ kind: 'setTargetVoters', count: 3 }],
  });
  expect(settled(viewOf([{}, {}, {}], { targetVoters: 5 }))).toBeUndefined();
});

test('A6: a replacement comes from the zone with the fewest votes', () => {
  const cases: Case[] = [
    { zone: 'a' },
    { zone: 'b' },
    { ...DEAD, zone: 'c' },
    { ...LEARNER, zone: 'a' },
    { ...LEARNER, zone: 'c' },
  ];
  expect(voters(settled(viewOf(cases, { targetVoters: 5 })))).toEqual([id(1), id(2), id(5)]);
});

test('A7: joining members that are alive become normal, all at once', () => {
  const joining: Case = { role: 'none', status: 'joining' };
  const cases = [{}, joining, { ...joining, liveness: 'dead' as const }, joining];
  expect(settled(viewOf(cases))).toEqual({
    kind: 'propose',
    commands: [
      { kind: 'setStatus', nodeId: id(2), status: 'normal' },
      { kind: 'setStatus', nodeId: id(4), status: 'normal' },
    ],
  });
});

test('A7: a member that is seen in another generation than the registered one has to wait', () => {
  const action = settled(viewOf([{}, { role: 'none', status: 'joining', generation: 2 }]));
  expect(action).toBeUndefined();
});

test('A8: members outside the group become learners, up to the limit', () => {
  const outsiders = Array.from({ length: LIMITS.learnersMax + 4 }, (): Case => ({ role: 'none' }));
  const action = settled(viewOf([{}, {}, {}, {}, {}, ...outsiders]));
  expect(action).toMatchObject({ kind: 'reconfigure' });
  expect(action?.kind === 'reconfigure' && action.learners).toHaveLength(LIMITS.learnersMax);
});

test('A8: a dead learner gives way only when somebody waits', () => {
  const dead: Case = { ...LEARNER, ...DEAD };
  expect(settled(viewOf([{}, {}, {}, {}, {}, dead]))).toBeUndefined();
  const action = settled(viewOf([{}, {}, {}, {}, {}, dead, { role: 'none' }]));
  expect(action?.kind === 'reconfigure' && action.learners).toEqual([id(7)]);
});

test('A8: a learner that was expelled is removed', () => {
  const action = settled(viewOf([{}, {}, {}, {}, {}, { ...LEARNER, status: 'expelled' }]));
  expect(action).toMatchObject({ kind: 'reconfigure', learners: [] });
});

test('A9: a coordinator that lags for ten seconds hands over', () => {
  const autopilot = new Autopilot(undefined);
  autopilot.setLeading(at(0), true);
  const slow = viewOf([{}, {}, {}], { lagMs: AUTOPILOT.loopLagMsMax + 1 });
  expect(autopilot.round(at(2_000), slow)).toBeUndefined();
  expect(autopilot.round(at(4_000), viewOf([{}, {}, {}]))).toBeUndefined();
  expect(autopilot.round(at(6_000), slow)).toBeUndefined();
  expect(autopilot.round(at(6_000 + AUTOPILOT.laggingMs), slow)).toEqual({ kind: 'handOver' });
});

const DRAINING: Case = { status: 'draining' };

test('A11: a draining voter is swapped for a learner that stays, in one change', () => {
  const leaving: Case = { ...LEARNER, ...DRAINING };
  expect(settled(viewOf([{}, {}, DRAINING, leaving, LEARNER]))).toMatchObject({
    kind: 'reconfigure',
    voters: [id(1), id(2), id(5)],
    learners: [id(4)],
    events: [{ name: 'voter.relieved', member: id(3), by: id(5) }],
  });
});

test('A11: the coordinator gives up its own vote last', () => {
  const both = viewOf([DRAINING, {}, DRAINING, LEARNER, LEARNER]);
  expect(voters(settled(both))).toEqual([id(1), id(2), id(4)]);
  expect(voters(settled(viewOf([DRAINING, {}, {}, LEARNER])))).toEqual([id(2), id(3), id(4)]);
});

test.each<[string, Case[]]>([
  ['without a candidate', [{}, {}, DRAINING]],
  ['with a candidate that drains itself', [{}, {}, DRAINING, { ...LEARNER, ...DRAINING }]],
  ['with a candidate that is far behind', [{}, {}, DRAINING, { ...LEARNER, behind: 300 }]],
])('A11: %s a draining voter keeps its vote', (_name, cases) => {
  expect(settled(viewOf(cases))).toBeUndefined();
});

test('A11: a dead voter goes first', () => {
  expect(voters(settled(viewOf([{}, DRAINING, DEAD, LEARNER, LEARNER])))).toEqual([
    id(1),
    id(2),
    id(4),
  ]);
});
