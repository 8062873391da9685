import type { MemberBody, StatusBody } from '@memgrid/node';
import { expect, test } from 'vitest';
import { ID, memberOf, statusOf } from '../testing/staged-node.ts';
import { verdictOf } from './cluster-verdict.ts';
import type { Everybody } from './everybody.ts';

type Said = Partial<StatusBody> | undefined;

const NODES = ['a', 'b', 'c'] as const;

/** Three nodes: what gossip says about each, and what each says itself (undefined: nothing). */
function clusterOf(
  said: Readonly<Partial<Record<'a' | 'b' | 'c', Said>>> = {},
  seen: Readonly<Partial<Record<'a' | 'b' | 'c', Partial<MemberBody>>>> = {},
): Everybody<StatusBody> {
  const answers = NODES.map((name) => ({
    member: memberOf({ nodeId: ID[name], self: name === 'a', ...seen[name] }),
    body:
      name in said && said[name] === undefined
        ? undefined
        : statusOf({ nodeId: ID[name], ...said[name] }),
  }));
  return { first: statusOf(said.a ?? {}), url: 'http://127.0.0.1:1', answers, warnings: [] };
}

test('three nodes that agree are well', () => {
  expect(verdictOf(clusterOf())).toMatchObject({
    coordinator: ID.a,
    term: 2,
    agreed: true,
    problems: [],
    missing: [],
    answeredBy: [ID.a, ID.b, ID.c],
    voters: { total: 3, alive: 3, majority: 2 },
    exitCode: 0,
  });
});

test('a dead voter is a problem, not a missing answer: nobody expects one from it', () => {
  const verdict = verdictOf(clusterOf({ c: undefined }, { c: { liveness: 'dead' } }));
  expect(verdict.exitCode).toBe(7);
  expect(verdict.missing).toEqual([]);
  expect(verdict.problems).toEqual([
    'cccccccc at 127.0.0.1:7700 is dead.',
    '2 of 3 voters are alive: one more loss and nothing can be decided.',
  ]);
});

test('an alive member that does not answer makes the answer partial', () => {
  const verdict = verdictOf(clusterOf({ c: undefined }));
  expect(verdict).toMatchObject({ exitCode: 8, missing: [ID.c], problems: [] });
});

test('a member without HTTP is not missed', () => {
  const verdict = verdictOf(clusterOf({ c: undefined }, { c: { httpAddress: '' } }));
  expect(verdict.missing).toEqual([]);
});

test('no coordinator: the node says what it waits for', () => {
  const waiting = { coordinator: null, waitingFor: 'An election is under way.' };
  const verdict = verdictOf(clusterOf({ a: waiting, b: waiting, c: waiting }));
  expect(verdict.coordinator).toBeNull();
  expect(verdict.agreed).toBe(false);
  expect(verdict.problems).toContain('An election is under way.');
  expect(verdict.exitCode).toBe(7);
});

test('after a fail-over the highest term knows the coordinator, and the late one is named', () => {
  const raft = { ...(statusOf().raft as NonNullable<StatusBody['raft']>), term: 3 };
  const late = clusterOf({ b: { coordinator: ID.b, raft }, c: { coordinator: ID.b, raft } });
  const verdict = verdictOf(late);
  expect(verdict).toMatchObject({ coordinator: ID.b, term: 3, agreed: false, exitCode: 7 });
  expect(verdict.problems).toEqual(['Nodes name different coordinators: aaaaaaaa, bbbbbbbb.']);
});

test('two coordinators in one term are not settled by choosing one', () => {
  const verdict = verdictOf(clusterOf({ b: { coordinator: ID.b }, c: { coordinator: ID.b } }));
  expect(verdict.coordinator).toBeNull();
  expect(verdict.exitCode).toBe(7);
});

test('nodes of two clusters behind one address list are noticed', () => {
  const verdict = verdictOf(clusterOf({ c: { clusterId: 'e'.repeat(32) } }));
  expect(verdict.agreed).toBe(false);
  expect(verdict.problems.join()).toContain('different clusters');
});

test('a lost majority says how many voters are needed', () => {
  const seen = { b: { liveness: 'dead' }, c: { liveness: 'dead' } } as const;
  const verdict = verdictOf(clusterOf({ b: undefined, c: undefined }, seen));
  expect(verdict.problems).toContain('1 of 3 voters are alive; 2 are needed to decide anything.');
});

test('a coordinator that does not answer itself is a problem', () => {
  const verdict = verdictOf(
    clusterOf({ a: { nodeId: ID.b, coordinator: ID.c }, b: { coordinator: ID.c }, c: undefined }),
  );
  expect(verdict.problems).toContain('The coordinator cccccccc does not answer.');
});
