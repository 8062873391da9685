import { expect, test } from 'vitest';
import type { ClusterId } from '@memgrid/protocol';
import { SessionRig } from '../testing/session-rig.ts';

function connectedTo(rig: SessionRig): number {
  return rig.session.status.connected.length;
}

test('Q7: one node that answers is enough, and names the others', () => {
  const rig = new SessionRig({ nodes: 3, seeds: ['n1:7700'] });
  rig.advance(50);
  expect(rig.session.status).toMatchObject({
    phase: 'ready',
    connected: [{ address: 'n1:7700' }],
    coordinator: rig.grid.node(0).id,
  });
  for (let at = 0; at < 20; at += 1) rig.put(`k${at}`, at);
  rig.advance(100);
  expect(connectedTo(rig)).toBe(3);
});

test('Q7: two addresses of one node make one connection', () => {
  const rig = new SessionRig({ nodes: 1, seeds: ['n0:7700', 'n0:7700'] });
  rig.advance(5_000);
  expect(rig.linksTo(0)).toHaveLength(1);
});

test('Q7: a cluster that is away is dialled again and again, with pauses drawn at random', () => {
  const rig = new SessionRig({ nodes: 1 });
  rig.down.add(0);
  rig.advance(60_000);
  const dials = rig.effects.filter((effect) => effect.kind === 'dial').length;
  // With full jitter below 5 s the pauses are 2.5 s on average, after the short ones at first.
  expect(dials).toBeGreaterThan(15);
  expect(dials).toBeLessThan(60);
  rig.revive(0);
  rig.advance(5_100);
  expect(rig.session.status.phase).toBe('ready');
});

test('Q7: a node that lets in and hangs up is not dialled without a pause either', () => {
  const rig = new SessionRig({ nodes: 1 });
  for (let ms = 0; ms < 60_000; ms += 20) {
    rig.advance(20);
    for (const link of rig.linksTo(0)) rig.cut(link);
  }
  const dials = rig.effects.filter((effect) => effect.kind === 'dial').length;
  expect(dials).toBeGreaterThan(10);
  expect(dials).toBeLessThan(60);
});

test('Q7: dials of a flapping cluster stay within their budget', () => {
  const rig = new SessionRig({ nodes: 64, config: { redialMsMin: 1, redialMsMax: 1 } });
  for (let place = 0; place < 64; place += 1) rig.down.add(place);
  rig.advance(10_000);
  const dials = rig.effects.filter((effect) => effect.kind === 'dial').length;
  expect(dials).toBeLessThanOrEqual(20 + 10 * 20);
});

test('Q7: connections that nobody uses are closed, except the last', () => {
  const rig = new SessionRig({ nodes: 3 });
  for (let at = 0; at < 20; at += 1) rig.put(`k${at}`, at);
  rig.advance(1_000);
  expect(connectedTo(rig)).toBe(3);
  rig.advance(130_000);
  expect(connectedTo(rig)).toBe(1);
  expect(rig.session.status.phase).toBe('ready');
});

test('Q8: a silent link is found by pings, and left', () => {
  const rig = new SessionRig({ nodes: 1 });
  rig.advance(50);
  const [link] = rig.linksTo(0);
  rig.mute.add(link as number);
  rig.advance(14_000);
  expect(rig.events).not.toContainEqual(expect.objectContaining({ name: 'node.disconnected' }));
  rig.advance(2_000);
  expect(rig.events).toContainEqual(expect.objectContaining({ name: 'node.disconnected' }));
  rig.advance(1_000);
  expect(rig.linksTo(0)).toHaveLength(1);
  expect(rig.session.status.phase).toBe('ready');
});

test('Q8: a node that answers pings stays, however long it has nothing else to say', () => {
  const rig = new SessionRig({ nodes: 1 });
  rig.advance(600_000);
  expect(rig.events.filter((event) => event.name === 'node.disconnected')).toEqual([]);
});

test('Q8: a node that says goodbye answers what it has and gets nothing new', () => {
  const rig = new SessionRig({ nodes: 2 });
  for (let at = 0; at < 20; at += 1) rig.put(`k${at}`, at);
  rig.advance(100);
  const [link = 0] = rig.linksTo(0);
  rig.latencyMs[0] = 40;
  const before = Array.from({ length: 20 }, (_, at) => rig.put(`k${at}`, 100 + at));
  rig.push({ kind: 'received', link, message: { type: 'clientBye', reason: 'draining' } });
  const received = rig.grid.node(0).operations.length;
  const after = Array.from({ length: 20 }, (_, at) => rig.put(`k${at}`, 200 + at));
  rig.advance(1);
  rig.advance(300);
  for (const call of [...before, ...after]) expect(rig.outcomes.get(call)?.kind).toBe('answered');
  const late = rig.grid.node(0).operations.slice(received);
  // What was under way arrived; what came after the goodbye went to the other node.
  expect(
    late.map(({ body }) => (body.kind === 'put' ? (body.entry[0] ?? 0) < 200 : false)),
  ).not.toContain(false);
});

test.each([
  ['an answer before the welcome', { type: 'answers', answers: [] } as const],
  ['what only clients say', { type: 'feedClose', feed: 1 } as const],
])('Q8: nonsense ends the connection: %s', (_what, message) => {
  const rig = new SessionRig({ nodes: 1, config: { redialMsMin: 100, redialMsMax: 100 } });
  rig.advance(2.5);
  const [link = 0] = rig.linksTo(0);
  rig.push({ kind: 'received', link, message });
  if (message.type === 'feedClose') {
    expect(rig.events).toContainEqual(
      expect.objectContaining({ name: 'node.refused', code: 'BAD_MESSAGE' }),
    );
  }
  expect(rig.linksTo(0)).toEqual([]);
  rig.advance(500);
  expect(rig.session.status.phase).toBe('ready');
});

test('Q8: garbage ends the connection', () => {
  const rig = new SessionRig({ nodes: 1 });
  rig.advance(50);
  const [link = 0] = rig.linksTo(0);
  rig.push({ kind: 'garbage', link, problem: 'Not a memgrid frame.' });
  expect(rig.linksTo(0)).toEqual([]);
});

test('a node of another cluster is not talked to', () => {
  const rig = new SessionRig({ nodes: 2 });
  rig.advance(50);
  (rig.grid as { clusterId: ClusterId }).clusterId = 'd'.repeat(32) as ClusterId;
  rig.kill(0);
  rig.kill(1);
  rig.revive(0);
  rig.revive(1);
  rig.advance(2_000);
  expect(rig.events).toContainEqual(
    expect.objectContaining({ name: 'node.refused', code: 'WRONG_CLUSTER' }),
  );
  expect(rig.session.status.phase).toBe('connecting');
});

test('a node of an incompatible protocol is named with both versions', () => {
  const rig = new SessionRig({ nodes: 1 });
  rig.grid.node(0).refuses = 'protocol';
  rig.advance(20);
  expect(rig.events).toContainEqual({
    name: 'node.refused',
    address: 'n0:7700',
    code: 'PROTOCOL_MISMATCH',
    detail: 'It speaks protocol 7 to 9, this client 1 to 1.',
    protocol: { min: 7, max: 9 },
  });
});

test('closing says goodbye to everybody', () => {
  const rig = new SessionRig({ nodes: 1 });
  rig.advance(50);
  const call = rig.get('a');
  rig.push({ kind: 'close' });
  expect(rig.outcomes.get(call)).toMatchObject({ kind: 'failed', code: 'CLOSED' });
  expect(rig.effects.slice(-3).map(({ kind }) => kind)).toEqual(['send', 'hangUp', 'status']);
  expect(rig.session.wakeAt).toBeUndefined();
  const late = rig.get('a');
  expect(rig.outcomes.get(late)).toMatchObject({ kind: 'failed', code: 'CLOSED' });
});

test('draining refuses what is new, and tells when the last has ended', () => {
  const rig = new SessionRig({ nodes: 1 });
  rig.advance(50);
  const early = rig.put('a', 1);
  rig.push({ kind: 'drain' });
  const late = rig.put('a', 2);
  expect(rig.outcomes.get(late)).toMatchObject({ kind: 'failed', code: 'CLOSED', applied: 'no' });
  expect(rig.effects.some(({ kind }) => kind === 'drained')).toBe(false);
  rig.advance(50);
  expect(rig.outcomes.get(early)?.kind).toBe('answered');
  expect(rig.effects.filter(({ kind }) => kind === 'drained')).toHaveLength(1);
});
