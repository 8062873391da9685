import { createHash } from 'node:crypto';
import type { Generation, LogIndex, MemberStatus } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import {
  at,
  eventNames,
  idOf,
  MembershipFixture,
  messagesIn,
  metaOf,
} from '../testing/membership-fixture.ts';
import { leaveLock } from './leave-key.ts';
import type { MembershipEffect, MembershipInput } from './membership-io.ts';

const digest = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest());

const fixtureOf = (letters: string, options = {}): MembershipFixture =>
  new MembershipFixture(digest, options).meet(letters);

function registry(...members: readonly [string, MemberStatus, number?][]): MembershipInput {
  return {
    kind: 'registry',
    members: members.map(([letter, status, generation = 1]) => ({
      nodeId: idOf(letter),
      generation: generation as Generation,
      address: `${letter}:7000`,
      status,
    })),
  };
}

const contacts = (effects: readonly MembershipEffect[]): readonly string[] =>
  effects.flatMap((effect) => (effect.kind === 'contact' ? [effect.peer.slice(0, 1)] : []));

test('M13: a registered member that was never met is tried for ever', () => {
  const fixture = fixtureOf('b');
  fixture.machine.step(fixture.now, registry(['a', 'normal'], ['b', 'normal'], ['c', 'normal']));
  const tried = contacts(fixture.runTo(120_000)).filter((letter) => letter === 'c');
  expect(tried.length).toBeGreaterThan(5);
  fixture.hear('c', [fixture.updateOf({ of: 'c' })]);
  expect(contacts(fixture.runTo(121_000))).not.toContain('c');
});

test('M13: who is gone for good by the registry is not tried', () => {
  const fixture = fixtureOf('bc');
  const effects = fixture.machine.step(
    fixture.now,
    registry(['b', 'expelled'], ['c', 'left'], ['d', 'left']),
  );
  expect(eventNames(effects)).toEqual(['member.left', 'member.left']);
  expect(contacts(fixture.runTo(60_000))).toEqual([]);
  expect(fixture.machine.aliveCount).toBe(1);
  // Who left may come back in a later life; who was expelled may not.
  fixture.hear('b', [fixture.updateOf({ of: 'b', generation: 2 })], 2);
  fixture.hear('c', [fixture.updateOf({ of: 'c', generation: 2 })], 2);
  expect([fixture.liveness('b'), fixture.liveness('c')]).toEqual(['left', 'alive']);
});

test('M21: a message in another’s name credits the owner of the connection only', () => {
  const fixture = fixtureOf('bcd');
  fixture.machine.step(fixture.now, { kind: 'dialRefused', peer: idOf('c') });
  fixture.say('b', { type: 'refused', target: idOf('c'), generation: 1 as Generation });
  // b claims that c lives, at the incarnation that is accused already: worth nothing.
  fixture.hear('b', [fixture.updateOf({ of: 'c' })]);
  expect(eventNames(fixture.runTo(1001))).toContain('member.died');
});

test.each([
  ['a gossip', { type: 'gossip', updates: [] }],
  ['an ack of another probe', { type: 'ack', probe: 77, stalledMs: 0, updates: [] }],
  ['a ping', { type: 'ping', probe: 1, updates: [] }],
] as const)('M21: %s is no acknowledgement, but enough to forget a refusal', (_, body) => {
  const fixture = fixtureOf('bc');
  const probed = messagesIn(fixture.runTo(200)).find((message) => message.body.type === 'ping');
  const target = probed?.to ?? '';
  fixture.machine.step(fixture.now, { kind: 'dialRefused', peer: idOf(target) });
  fixture.say(target, body);
  const effects = fixture.runTo(1600);
  expect(effects).toContainEqual({ kind: 'direct', peer: idOf(target), reached: false });
  expect(eventNames(effects)).not.toContain('member.died');
});

test('M14: one of several members that is refused is not enough', () => {
  const fixture = fixtureOf('bcd');
  fixture.machine.step(fixture.now, { kind: 'dialRefused', peer: idOf('d') });
  fixture.machine.step(fixture.now, { kind: 'dialRefused', peer: idOf('d') });
  expect(eventNames(fixture.runTo(3000))).not.toContain('member.died');
});

test('M14: a lone survivor needs no second witness', () => {
  const fixture = fixtureOf('b');
  fixture.machine.step(fixture.now, { kind: 'dialRefused', peer: idOf('b') });
  const died = fixture
    .runTo(1001)
    .find((effect) => effect.kind === 'event' && effect.event.name === 'member.died');
  expect(died).toMatchObject({ event: { evidence: 'refused', silentMs: 1000 } });
});

test('M14: refusals of an earlier life do not count', () => {
  const fixture = fixtureOf('bcd');
  fixture.hear('d', [fixture.updateOf({ of: 'd', generation: 2 })], 2);
  fixture.say('b', { type: 'refused', target: idOf('d'), generation: 1 as Generation });
  fixture.say('c', { type: 'refused', target: idOf('d'), generation: 1 as Generation });
  expect(fixture.liveness('d')).toBe('alive');
});

test('M7: who passes on three accusations of us is told the refutation once', () => {
  const fixture = fixtureOf('bcd');
  const own = fixture.machine.get(idOf('a'));
  const incarnation = own?.incarnation ?? 0;
  const accusations = ['b', 'c', 'd'].map((by) =>
    fixture.updateOf({ of: 'a', liveness: 'suspect', by, incarnation }),
  );
  const told = messagesIn(fixture.hear('b', accusations)).flatMap(({ body }) =>
    body.type === 'gossip' ? body.updates.filter(({ nodeId }) => nodeId === idOf('a')) : [],
  );
  expect(told.map(({ liveness, incarnation: raised }) => [liveness, raised])).toEqual([
    ['alive', incarnation + 1],
  ]);
});

test('M19: a changed load waits and rides along; a changed address is told at once', () => {
  const fixture = fixtureOf('b');
  fixture.runTo(20_000);
  const meta = metaOf({
    address: 'a:7000',
    leaveLock: leaveLock(digest, new Uint8Array(16).fill(97)),
  });
  const own = () => fixture.machine.get(idOf('a'));
  const first = own()?.incarnation ?? 0;
  const tell = (change: object) =>
    fixture.machine.step(fixture.now, { kind: 'meta', meta: { ...meta, ...change } });
  tell({ raftCommit: 1 as LogIndex });
  expect(own()?.incarnation).toBe(first + 1);
  tell({ raftCommit: 2 as LogIndex });
  expect(own()?.incarnation).toBe(first + 1);
  fixture.runTo(25_001);
  expect(own()).toMatchObject({ incarnation: first + 2, meta: { raftCommit: 2 } });
  fixture.runTo(26_500);
  // Nobody answered all the while; somebody must be there to be told.
  fixture.hear('b', [fixture.updateOf({ of: 'b', incarnation: 9 })]);
  tell({ raftCommit: 2 as LogIndex, address: 'elsewhere:7000' });
  expect(own()?.incarnation).toBe(first + 3);
  const gossip = messagesIn(fixture.runTo(26_800)).filter(({ body }) => body.type === 'gossip');
  expect(gossip.length).toBeGreaterThan(0);
});

test('M10: a first exchange that was lost is repeated while nobody is known', () => {
  const fixture = fixtureOf('');
  const linkUp = { kind: 'linkUp', peer: idOf('b'), address: 'b:7000' } as const;
  fixture.machine.step(at(0), { ...linkUp, generation: 1 as Generation });
  const asked = messagesIn(fixture.runTo(3000)).filter(({ body }) => body.type === 'pushPullReq');
  expect(asked.map(({ to }) => to)).toEqual(['b', 'b', 'b']);
});

test('M20: a full table refuses newcomers with one event', () => {
  const fixture = fixtureOf('bc', { membersMax: 3 });
  expect(eventNames(fixture.hear('b', [fixture.updateOf({ of: 'd' })]))).toEqual(['members.full']);
  expect(eventNames(fixture.hear('b', [fixture.updateOf({ of: 'e' })]))).toEqual([]);
  expect(fixture.machine.views()).toHaveLength(3);
});

test('M3: helpers are asked in different zones', () => {
  const zones: Readonly<Record<string, string>> = { b: 'x', c: 'x', d: 'x', e: 'y', f: 'z' };
  for (let seed = 0; seed < 5; seed += 1) {
    const fixture = new MembershipFixture(digest);
    for (const [of, zone] of Object.entries(zones)) {
      fixture.hear(of, [fixture.updateOf({ of, meta: metaOf({ address: `${of}:7000`, zone }) })]);
    }
    const asked = messagesIn(fixture.runTo(900)).filter(({ body }) => body.type === 'pingReq');
    expect(asked).toHaveLength(3);
    const target = asked[0]?.body.type === 'pingReq' ? asked[0].body.target.slice(0, 1) : '';
    const possible = new Set(
      Object.keys(zones)
        .filter((it) => it !== target)
        .map((it) => zones[it]),
    );
    expect(new Set(asked.map(({ to }) => zones[to])).size).toBe(Math.min(3, possible.size));
  }
});

test('M5: a helper answers for the target, or says after 320 ms that it could not', () => {
  const fixture = fixtureOf('bcd');
  const request = (probe: number) =>
    fixture.say('b', {
      ...{ type: 'pingReq', probe, target: idOf('c'), targetAddress: 'c:7000', updates: [] },
    } as const);
  const sent = messagesIn(request(41)).find(({ body }) => body.type === 'ping');
  const number = sent?.body.type === 'ping' ? sent.body.probe : -1;
  const answer = messagesIn(
    fixture.say('c', { type: 'ack', probe: number, stalledMs: 0, updates: [] }),
  );
  expect(answer).toMatchObject([
    { to: 'b', body: { type: 'indirectAck', probe: 41, target: idOf('c') } },
  ]);
  request(42);
  expect(messagesIn(fixture.runTo(319)).map(({ body }) => body.type)).not.toContain('nack');
  const nacks = messagesIn(fixture.runTo(320)).filter(({ body }) => body.type === 'nack');
  expect(nacks).toEqual([{ to: 'b', body: { type: 'nack', probe: 42, target: idOf('c') } }]);
});

test('M20: after any wake-up the next one lies ahead', () => {
  const fixture = fixtureOf('bcdef');
  fixture.machine.step(at(0), registry(['1', 'normal'], ['b', 'normal']));
  fixture.machine.step(at(0), { kind: 'dialRefused', peer: idOf('b') });
  for (let wakes = 0; wakes < 2000; wakes += 1) {
    const wakeAt = fixture.machine.wakeAt ?? at(Infinity);
    fixture.now = at(Math.max(fixture.now, wakeAt));
    fixture.machine.wake(fixture.now);
    expect(fixture.machine.wakeAt).toBeGreaterThan(fixture.now);
    expect(fixture.machine.wake(fixture.now).length).toBe(0);
  }
  fixture.machine.step(fixture.now, { kind: 'leave' });
  fixture.runTo(fixture.now + 60_000);
  expect(fixture.machine.wakeAt).toBeUndefined();
});
