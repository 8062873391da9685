import {
  clusterId,
  generation,
  groupEpoch,
  logIndex,
  nodeId,
  term,
  type ControlCommand,
  type FeatureState,
  type LogIndex,
  type MemberRecord,
  type MemberStatus,
} from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeControlImage, encodeControlImage } from './control-image.ts';
import { ControlState } from './control-state.ts';

const A = nodeId('a'.repeat(32));
const B = nodeId('b'.repeat(32));

function recordOf(overrides: Partial<MemberRecord> = {}): MemberRecord {
  return {
    nodeId: A,
    generation: generation(1),
    address: 'a:7700',
    zone: '',
    weight: 100,
    protocolMin: 1,
    protocolMax: 1,
    features: ['base'],
    instance: 1,
    ...overrides,
  };
}

function stateOf(): ControlState {
  return new ControlState({
    clusterId: clusterId('c'.repeat(32)),
    groupEpoch: groupEpoch(1),
    index: logIndex(1),
    term: term(1),
    members: [{ ...recordOf(), status: 'normal' }],
    targetVoters: 1,
    features: [],
    level: 'normal',
    shards: undefined,
    schemas: undefined,
  });
}

function apply(state: ControlState, ...commands: ControlCommand[]): readonly string[] {
  return commands.flatMap((command) =>
    state.apply((state.index + 1) as LogIndex, term(1), command).map((event) => event.name),
  );
}

const setStatus = (status: MemberStatus, of = A): ControlCommand => ({
  kind: 'setStatus',
  nodeId: of,
  status,
});
const setFeature = (state: FeatureState): ControlCommand => ({
  kind: 'setFeature',
  name: 'base',
  state,
});
const register = (overrides: Partial<MemberRecord>): ControlCommand => ({
  kind: 'register',
  member: recordOf(overrides),
});

test.each([
  [setStatus('normal', B), /No member/],
  [setStatus('joining'), /A member that is normal cannot become joining/],
  [{ kind: 'setTargetVoters', count: 4 } as const, /must be one of 1, 3, 5, 7/],
  [setFeature('on'), /is off and cannot become on/],
])('C1: %j is ignored and explained', (command, problem) => {
  const state = stateOf();
  const before = encodeControlImage({ ...state.image(), index: logIndex(0) });
  expect(state.problemWith(command)).toMatch(problem);
  expect(apply(state, command)).toContain('command.ignored');
  expect(state.index).toBe(2);
  expect(encodeControlImage({ ...state.image(), index: logIndex(0) })).toEqual(before);
});

test('C2: an expelled node cannot register again', () => {
  const state = stateOf();
  apply(state, setStatus('expelled'), register({ generation: generation(9) }));
  expect(state.member(A)).toMatchObject({ status: 'expelled', generation: 1 });
});

test('C2: an older generation does not replace a newer one', () => {
  const state = stateOf();
  apply(state, register({ generation: generation(5), address: 'new:7700' }));
  apply(state, register({ generation: generation(4), address: 'old:7700' }));
  expect(state.member(A)).toMatchObject({ generation: 5, address: 'new:7700', status: 'normal' });
});

test('C2: a member that left joins again only with a later generation', () => {
  const state = stateOf();
  apply(state, setStatus('left'), register({}));
  expect(state.member(A)?.status).toBe('left');
  apply(state, register({ generation: generation(2) }));
  expect(state.member(A)?.status).toBe('joining');
});

test('C3: a feature needs every member that takes part, and is final', () => {
  const state = stateOf();
  apply(state, register({ nodeId: B, features: [] }), setFeature('allowed'), setFeature('on'));
  expect(state.feature('base')).toBe('allowed');
  apply(state, setStatus('left', B), setFeature('on'), setFeature('off'));
  expect(state.feature('base')).toBe('on');
});

test('C3: a node without a feature that is on cannot register', () => {
  const state = stateOf();
  apply(state, setFeature('allowed'), setFeature('on'));
  apply(state, register({ nodeId: B, features: [] }));
  expect(state.member(B)).toBeUndefined();
  expect(state.problemWith(register({ nodeId: B, features: [] }))).toMatch(/lacks the feature/);
});

test('C4: equal states have equal images, in whatever order they came about', () => {
  const digits = fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { maxLength: 10 });
  fc.assert(
    fc.property(digits, (order) => {
      const members = order.map((digit) =>
        register({ nodeId: nodeId(digit.toString(16).repeat(32)) }),
      );
      const one = stateOf();
      const other = stateOf();
      apply(one, ...members);
      apply(other, ...members.toReversed());
      expect(encodeControlImage(one.image())).toEqual(encodeControlImage(other.image()));
    }),
  );
});

test('C4: an image survives its encoding', () => {
  const state = stateOf();
  apply(state, register({ nodeId: B }), setFeature('allowed'), {
    kind: 'setLevel',
    level: 'readOnly',
  });
  expect(decodeControlImage(encodeControlImage(state.image()))).toEqual(state.image());
});
