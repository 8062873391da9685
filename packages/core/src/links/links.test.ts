import {
  clusterId,
  generation,
  groupEpoch,
  logIndex,
  nodeId,
  shardId,
  term,
  type Envelope,
  type HandshakeSelf,
  type Message,
  type NodeId,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import type { Instant } from '../machine.ts';
import { Random } from '../random.ts';
import { LINKS, type LinksEffect, type LinksInput } from './links-io.ts';
import { cluster32 } from './envelope-checks.ts';
import { Links } from './links.ts';

const CLUSTER = clusterId('c'.repeat(32));
const A = nodeId('a'.repeat(32));
const B = nodeId('b'.repeat(32));
const at = (ms: number): Instant => ms as Instant;

function selfOf(id: NodeId, overrides: Partial<HandshakeSelf> = {}): HandshakeSelf {
  return {
    nodeId: id,
    generation: generation(1),
    instance: id === A ? 1 : 2,
    address: `${id.slice(0, 1)}:7700`,
    clusterId: CLUSTER,
    groupEpoch: groupEpoch(1),
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    ...overrides,
  };
}

/** Two nodes on one wire. Everything one transmits the other receives, unless it is held back. */
class Pair {
  readonly nodes = new Map<NodeId, Links>();
  readonly seen: { node: NodeId; effect: LinksEffect }[] = [];
  readonly #selves = new Map<NodeId, HandshakeSelf>();
  readonly #wires: { dialler: NodeId; dialled: NodeId; link: number; accepted: number }[] = [];
  #nextAccepted = -1;
  now = at(0);

  constructor(...selves: HandshakeSelf[]) {
    for (const self of selves) this.add(self.nodeId, self);
  }

  add(name: NodeId, self: HandshakeSelf): void {
    this.#selves.set(name, self);
    this.nodes.set(name, new Links({ self, random: Random.of(7) }));
  }

  input(node: NodeId, input: LinksInput): void {
    this.#carryOut(node, this.nodes.get(node)?.step(this.now, input) ?? []);
  }

  effects<K extends LinksEffect['kind']>(
    node: NodeId,
    kind: K,
  ): Extract<LinksEffect, { kind: K }>[] {
    return this.seen
      .filter((entry) => entry.node === node && entry.effect.kind === kind)
      .map((entry) => entry.effect as Extract<LinksEffect, { kind: K }>);
  }

  refusals(node: NodeId): string[] {
    return this.effects(node, 'event').flatMap(({ event }) =>
      event.name === 'frame.refused' ? [event.reason] : [],
    );
  }

  /** The link at `node` over which it speaks to the other one. */
  linkAt(node: NodeId): number {
    const wire = this.#wires.findLast((w) => w.dialler === node || w.dialled === node);
    return (wire?.dialler === node ? wire.link : wire?.accepted) ?? 0;
  }

  envelopeFrom(node: NodeId, message: Message, overrides: Partial<Envelope> = {}): Envelope {
    const self = this.#selves.get(node);
    if (self === undefined) throw new Error('No such node.');
    return {
      version: 1,
      flags: 0,
      cluster32: cluster32(self.clusterId),
      source: self.nodeId,
      sourceGeneration: self.generation,
      targetGeneration: generation(1),
      sequence: 100,
      timestamp: { ms: 0, counter: 0 },
      controlIndex: 0,
      message,
      ...overrides,
    };
  }

  #carryOut(node: NodeId, effects: readonly LinksEffect[]): void {
    for (const effect of effects) {
      this.seen.push({ node, effect });
      if (effect.kind === 'dial') this.#dial(node, effect.link, effect.address);
      if (effect.kind === 'transmit') this.#transmit(node, effect);
      if (effect.kind === 'hangUp') this.#hangUp(node, effect.link);
    }
  }

  #dial(dialler: NodeId, link: number, address: string): void {
    const dialled = [...this.#selves].find(([, self]) => self.address === address)?.[0];
    if (dialled === undefined) {
      this.input(dialler, { kind: 'linkFailed', link, problem: 'refused' });
      return;
    }
    const accepted = this.#nextAccepted;
    this.#nextAccepted -= 1;
    this.#wires.push({ dialler, dialled, link, accepted });
    this.input(dialled, { kind: 'linkAccepted', link: accepted, remote: 'somewhere' });
    this.input(dialler, { kind: 'linkOpened', link });
  }

  #transmit(node: NodeId, effect: Extract<LinksEffect, { kind: 'transmit' }>): void {
    const wire = this.#wires.find(
      (w) =>
        (w.dialler === node && w.link === effect.link) ||
        (w.dialled === node && w.accepted === effect.link),
    );
    if (wire === undefined) return;
    const out = wire.link === effect.link;
    const { targetGeneration, sequence, version, message } = effect;
    const envelope = this.envelopeFrom(node, message, { targetGeneration, sequence, version });
    const link = out ? wire.accepted : wire.link;
    this.input(out ? wire.dialled : wire.dialler, { kind: 'received', link, envelope });
  }

  #hangUp(node: NodeId, link: number): void {
    const index = this.#wires.findIndex((w) => w.link === link || w.accepted === link);
    const [wire] = index < 0 ? [] : this.#wires.splice(index, 1);
    if (wire === undefined) return;
    const other = wire.dialler === node ? wire.dialled : wire.dialler;
    const closed = wire.dialler === node ? wire.accepted : wire.link;
    this.input(other, { kind: 'linkClosed', link: closed });
  }
}

function connected(from = A, to = B): Pair {
  const pair = new Pair(selfOf(A), selfOf(B));
  pair.input(from, { kind: 'connect', address: `${to.slice(0, 1)}:7700`, peer: to });
  return pair;
}

const PING: Message = { type: 'ping', probe: 1, updates: [] };

test.each([
  [A, B],
  [B, A],
])('L1: a dial makes one control and one bulk link', (from, to) => {
  const pair = connected(from, to);
  expect(pair.nodes.get(A)?.connectedPeers()).toEqual([B]);
  expect(pair.nodes.get(B)?.connectedPeers()).toEqual([A]);
  expect(pair.effects(from, 'dial').map((dial) => dial.channel)).toEqual(['control', 'bulk']);
  expect(pair.effects(to, 'peerUp')).toHaveLength(1);
});

test('L1: the link of the lower id replaces the other one without a loss of contact', () => {
  const pair = connected(B, A);
  const links = pair.nodes.get(A);
  // A had begun to dial before B's link was there.
  const effects =
    links?.step(pair.now, { kind: 'connect', address: 'b:7700', peer: undefined }) ?? [];
  expect(effects.map((effect) => effect.kind)).toEqual(['dial']);
  const [dial] = effects;
  if (dial?.kind !== 'dial') throw new Error('No dial.');
  pair.input(B, { kind: 'linkAccepted', link: -77, remote: 'a' });
  const hello: Message = { type: 'hello', channel: 'control', ...selfOf(A) };
  const greeting = pair.envelopeFrom(A, hello, { sequence: 1, targetGeneration: generation(0) });
  pair.input(B, { kind: 'received', link: -77, envelope: greeting });
  expect(pair.effects(B, 'peerDown')).toEqual([]);
  expect(pair.nodes.get(B)?.isConnected(A)).toBe(true);
});

test('L1: a worse duplicate is rejected', () => {
  const pair = connected(A, B);
  pair.input(A, { kind: 'linkAccepted', link: -77, remote: 'b' });
  const hello: Message = { type: 'hello', channel: 'control', ...selfOf(B) };
  const envelope = pair.envelopeFrom(B, hello, { sequence: 1, targetGeneration: generation(0) });
  pair.input(A, { kind: 'received', link: -77, envelope });
  const answers = pair.effects(A, 'transmit').filter((effect) => effect.link === -77);
  expect(answers.map((answer) => answer.message)).toMatchObject([
    { type: 'reject', reason: 'duplicate' },
  ]);
});

test('L2: a message in the name of somebody else is refused', () => {
  const pair = connected();
  const link = pair.linkAt(B);
  for (const overrides of [{ source: B }, { sourceGeneration: generation(9) }]) {
    pair.input(B, { kind: 'received', link, envelope: pair.envelopeFrom(A, PING, overrides) });
  }
  expect(pair.refusals(B)).toEqual(['wrongSource', 'wrongSource']);
  expect(pair.effects(B, 'message')).toEqual([]);
});

test('L2: a message of another cluster is refused', () => {
  const pair = connected();
  const envelope = pair.envelopeFrom(A, PING, { cluster32: 7 });
  pair.input(B, { kind: 'received', link: pair.linkAt(B), envelope });
  expect(pair.refusals(B)).toEqual(['wrongCluster']);
  expect([pair.nodes.get(A), pair.nodes.get(B)].map((links) => links?.connectedPeers())).toEqual([
    [],
    [],
  ]);
});

test('L3: a message for another generation is answered and not handled', () => {
  const pair = connected();
  const envelope = pair.envelopeFrom(A, PING, { targetGeneration: generation(5) });
  pair.input(B, { kind: 'received', link: pair.linkAt(B), envelope });
  expect(pair.refusals(B)).toEqual(['wrongGeneration']);
  expect(pair.effects(A, 'newGeneration')).toEqual([
    { kind: 'newGeneration', peer: B, generation: 1 },
  ]);
});

test('L4: a copied directory is turned away while the original is connected', () => {
  const pair = connected();
  const clone = nodeId('9'.repeat(32));
  pair.add(clone, selfOf(A, { instance: 99, address: 'clone:7700' }));
  pair.input(clone, { kind: 'connect', address: 'b:7700', peer: undefined });
  expect(pair.effects(clone, 'rejected')).toMatchObject([{ reason: 'identityInUse' }]);
  expect(pair.nodes.get(B)?.isConnected(A)).toBe(true);
});

test('L4: a later generation waits until the old process is silent, then takes over', () => {
  const pair = connected();
  const reborn = nodeId('9'.repeat(32));
  const self = selfOf(A, { instance: 99, address: 'new:7700', generation: generation(2) });
  pair.add(reborn, self);
  pair.input(reborn, { kind: 'connect', address: 'b:7700', peer: undefined });
  expect(pair.effects(reborn, 'rejected')).toMatchObject([{ reason: 'identityInUse' }]);
  pair.now = at(LINKS.freshMs + LINKS.backoffMsMax);
  pair.input(reborn, { kind: 'connect', address: 'b:7700', peer: undefined });
  expect(pair.effects(B, 'peerDown')).toMatchObject([{ peer: A, generation: 1 }]);
  expect(pair.effects(B, 'peerUp').at(-1)).toMatchObject({ peer: A, generation: 2 });
});

test('L4: a generation that was overtaken is turned away', () => {
  const pair = new Pair(selfOf(A, { generation: generation(4) }), selfOf(B));
  pair.input(A, { kind: 'connect', address: 'b:7700', peer: B });
  pair.input(A, { kind: 'disconnect', peer: B, reason: 'test' });
  const old = nodeId('9'.repeat(32));
  pair.add(old, selfOf(A, { generation: generation(3), address: 'old:7700' }));
  pair.now = at(60_000);
  pair.input(old, { kind: 'connect', address: 'b:7700', peer: B });
  expect(pair.effects(old, 'rejected')).toMatchObject([{ reason: 'staleGeneration' }]);
});

test('L5: a peer of another cluster is rejected with both names', () => {
  const other = selfOf(A, { clusterId: clusterId('d'.repeat(32)) });
  const pair = new Pair(other, selfOf(B));
  pair.input(A, { kind: 'connect', address: 'b:7700', peer: B });
  expect(pair.effects(A, 'rejected')).toMatchObject([{ reason: 'wrongCluster' }]);
  expect(pair.effects(A, 'rejected')[0]?.detail).toMatch(/dddddddd.*cccccccc|cccccccc.*dddddddd/);
});

test('L5: a node that reaches itself learns so', () => {
  const pair = new Pair(selfOf(A));
  pair.input(A, { kind: 'connect', address: 'a:7700', peer: undefined });
  expect(pair.effects(A, 'reached')).toEqual([{ kind: 'reached', address: 'a:7700', peer: A }]);
});

test('L5: anything but a hello from a stranger closes the connection', () => {
  const pair = new Pair(selfOf(A), selfOf(B));
  pair.input(B, { kind: 'linkAccepted', link: -50, remote: 'x' });
  pair.input(B, { kind: 'received', link: -50, envelope: pair.envelopeFrom(A, PING) });
  expect(pair.refusals(B)).toEqual(['unexpected']);
  expect(pair.effects(B, 'hangUp')).toEqual([{ kind: 'hangUp', link: -50 }]);
});

test('L5: garbage closes the link, unknown types do not', () => {
  const pair = connected();
  const link = pair.linkAt(B);
  pair.input(B, { kind: 'unknownMessage', link, messageType: 999 });
  expect(pair.effects(B, 'hangUp')).toEqual([]);
  pair.input(B, { kind: 'garbage', link, problem: 'no frame' });
  expect(pair.refusals(B)).toEqual(['unknownType', 'garbage']);
  expect(pair.effects(B, 'hangUp').map((effect) => effect.link)).toContain(link);
});

test('L5: duplicated and reordered messages are refused', () => {
  const pair = connected();
  const link = pair.linkAt(B);
  for (const sequence of [10, 10, 9, 11]) {
    const envelope = pair.envelopeFrom(A, PING, { sequence });
    pair.input(B, { kind: 'received', link, envelope });
  }
  expect(pair.effects(B, 'message').map((m) => m.envelope.sequence)).toEqual([10, 11]);
  expect(pair.refusals(B)).toEqual(['outOfOrder', 'outOfOrder']);
});

test('L6: strangers are limited and have a deadline', () => {
  const pair = new Pair(selfOf(B));
  const links = pair.nodes.get(B);
  for (let count = 1; count <= LINKS.strangersMax + 1; count += 1) {
    pair.input(B, { kind: 'linkAccepted', link: -count, remote: 'x' });
  }
  expect(pair.effects(B, 'hangUp')).toHaveLength(1);
  expect(links?.wakeAt).toBe(LINKS.handshakeMsMax);
  const ended = links?.wake(at(LINKS.handshakeMsMax)) ?? [];
  expect(ended).toHaveLength(LINKS.strangersMax);
});

test('L6: messages that wait for a link are limited, and dropped when it cannot be made', () => {
  const pair = new Pair(selfOf(A));
  const links = pair.nodes.get(A);
  const deliver: LinksInput = { kind: 'deliver', to: B, address: 'b:7700', message: PING };
  const effects: LinksEffect[] = [];
  for (let count = 0; count <= LINKS.waitingMessagesMax; count += 1) {
    effects.push(...(links?.step(at(0), deliver) ?? []));
  }
  const dropped = effects.filter(
    (effect) => effect.kind === 'event' && effect.event.name === 'send.dropped',
  );
  expect(effects.filter((effect) => effect.kind === 'dial')).toHaveLength(1);
  expect(dropped).toHaveLength(1);
  const failed = links?.step(at(1), { kind: 'linkFailed', link: 1, problem: 'refused' }) ?? [];
  expect(failed.map((effect) => effect.kind)).toEqual(['event', 'dialRefused']);
});

test('L6: under pressure gossip is dropped first, then bulk, then the link', () => {
  const pair = connected();
  const link = pair.linkAt(A);
  const control = pair.effects(A, 'transmit').at(-1)?.link ?? 0;
  const deliver = (message: Message): void =>
    pair.input(A, { kind: 'deliver', to: B, address: 'b:7700', message });
  const received = (): number => pair.effects(B, 'message').length;
  for (const each of [control, link, 1]) {
    pair.input(A, {
      kind: 'pressure',
      link: each,
      bufferedBytes: LINKS.gossipBufferedBytesMax + 1,
    });
  }
  deliver({ type: 'gossip', updates: [] });
  expect(received()).toBe(0);
  deliver(PING);
  expect(received()).toBe(1);
  pair.input(A, { kind: 'pressure', link: 1, bufferedBytes: LINKS.bufferedBytesMax });
  expect(pair.effects(A, 'peerDown')).toHaveLength(1);
});

test('L7: an address that failed is left alone for a while', () => {
  const pair = new Pair(selfOf(A));
  const connect: LinksInput = { kind: 'connect', address: 'b:7700', peer: B };
  pair.input(A, connect);
  pair.input(A, connect);
  expect(pair.effects(A, 'dial')).toHaveLength(1);
  expect(pair.effects(A, 'dialRefused')).toHaveLength(1);
  pair.now = at(LINKS.backoffMsMin + 1);
  pair.input(A, connect);
  expect(pair.effects(A, 'dial')).toHaveLength(2);
});

test('L7: a peer that is gone is reported once, with its generation', () => {
  const pair = connected();
  pair.input(A, { kind: 'linkClosed', link: 1 });
  expect(pair.effects(A, 'peerDown')).toEqual([{ kind: 'peerDown', peer: B, generation: 1 }]);
});

test('L8: what a leader says does not wait for a link', () => {
  const pair = new Pair(selfOf(A));
  const links = pair.nodes.get(A);
  const header = { groupEpoch: groupEpoch(1), term: term(1) };
  const heartbeat: Message = { type: 'heartbeat', ...header, commit: logIndex(1), readRound: 0 };
  const deliver = (message: Message): LinksInput => ({
    kind: 'deliver',
    to: B,
    address: 'b:7700',
    message,
  });
  expect(links?.step(at(0), deliver(heartbeat)).map((effect) => effect.kind)).toEqual(['dial']);
  links?.step(at(0), deliver(PING));
  links?.step(at(0), { kind: 'linkOpened', link: 1 });
  const ack: Message = { type: 'helloAck', version: 1, ...selfOf(B) };
  const envelope = pair.envelopeFrom(A, ack, { source: B });
  const effects = links?.step(at(0), { kind: 'received', link: 1, envelope }) ?? [];
  const sent = effects.flatMap((effect) =>
    effect.kind === 'transmit' ? [effect.message.type] : [],
  );
  expect(sent).toEqual(['ping']);
});

test('L6: nothing grows with the nodes that came and went', () => {
  const links = new Links({ self: selfOf(B), random: Random.of(7) });
  for (let count = 1; count <= LINKS.knownStartsMax + 10; count += 1) {
    const stranger = nodeId(count.toString(16).padStart(32, '0'));
    const { nodeId: _, ...facts } = selfOf(A, { address: '' });
    const hello = { type: 'hello', channel: 'control', nodeId: stranger, ...facts } as const;
    links.step(at(0), { kind: 'linkAccepted', link: -count, remote: 'x' });
    const envelope = new Pair(selfOf(A)).envelopeFrom(A, hello, { sequence: 1 });
    links.step(at(0), { kind: 'received', link: -count, envelope });
    links.step(at(0), { kind: 'linkClosed', link: -count });
    links.step(at(0), { kind: 'deliver', to: stranger, address: '', message: PING });
  }
  expect(links.connectedPeers()).toEqual([]);
  expect(links.rememberedPeerCount).toBe(LINKS.knownStartsMax);
});

test('L9: a bulk link that was lost is made again when it is needed', () => {
  const pair = connected();
  const bulk = pair.effects(A, 'dial').at(-1);
  expect(bulk?.channel).toBe('bulk');
  pair.input(A, { kind: 'pressure', link: bulk?.link ?? 0, bufferedBytes: LINKS.bufferedBytesMax });
  const message: Message = {
    type: 'configDelta',
    groupEpoch: groupEpoch(1),
    from: logIndex(1),
    to: logIndex(2),
    commands: [],
  };
  pair.now = at(LINKS.backoffMsMax);
  pair.input(B, { kind: 'deliver', to: A, address: 'a:7700', message });
  expect(pair.effects(A, 'message')).toHaveLength(1);
  expect(pair.effects(B, 'dial')).toEqual([
    { kind: 'dial', link: 1, address: 'a:7700', channel: 'bulk' },
  ]);
  pair.input(B, { kind: 'deliver', to: A, address: 'a:7700', message });
  expect(pair.effects(B, 'transmit').at(-1)?.link).toBe(1);
  expect(pair.effects(B, 'dial')).toHaveLength(1);
});

test('L10: who is looked for where somebody else is now does not disturb that one', () => {
  const pair = connected();
  const past = nodeId('e'.repeat(32));
  pair.seen.length = 0;
  for (const message of [PING, PING]) {
    pair.input(A, { kind: 'deliver', to: past, address: 'b:7700', message });
  }
  pair.input(A, { kind: 'connect', peer: past, address: 'b:7700' });
  pair.input(A, { kind: 'connect', peer: past, address: 'a:7700' });
  expect(pair.effects(A, 'dial')).toEqual([]);
  expect(pair.effects(B, 'peerUp')).toEqual([]);
  expect(pair.nodes.get(A)?.connectedPeers()).toEqual([B]);
});

test('L10: an address that turns out to be our own counts as a failure to find its former owner', () => {
  const pair = new Pair(selfOf(A));
  const links = new Links({ self: selfOf(A), random: Random.of(7) });
  links.step(at(0), { kind: 'deliver', to: B, address: 'alias:7700', message: PING });
  links.step(at(0), { kind: 'linkOpened', link: 1 });
  const reject: Message = { type: 'reject', reason: 'self', detail: 'It is you.' };
  const envelope = pair.envelopeFrom(A, reject, { sequence: 1 });
  const effects = links.step(at(1), { kind: 'received', link: 1, envelope });
  expect(effects.map((effect) => effect.kind)).toEqual([
    'hangUp',
    'reached',
    'event',
    'dialFailed',
  ]);
  const again = links.step(at(1), { kind: 'deliver', to: B, address: 'alias:7700', message: PING });
  expect(again.filter((effect) => effect.kind === 'dial')).toEqual([]);
});

test('L7: a dial whose outcome is never told is given up, and made again', () => {
  const links = new Links({ self: selfOf(A), random: Random.of(7) });
  const connect: LinksInput = { kind: 'connect', address: 'b:7700', peer: B };
  expect(links.step(at(0), connect).map((effect) => effect.kind)).toEqual(['dial']);
  expect(links.wakeAt).toBe(LINKS.dialMsMax);
  expect(links.wake(at(LINKS.dialMsMax))).toEqual([
    { kind: 'hangUp', link: 1 },
    { kind: 'dialFailed', peer: B },
  ]);
  expect(links.step(at(LINKS.dialMsMax + LINKS.backoffMsMin), connect)).toMatchObject([
    { kind: 'dial', link: 2 },
  ]);
});

test('L11: the late answer of an old life of a peer is no verdict about this node', () => {
  const pair = connected();
  const links = pair.nodes.get(A);
  pair.input(A, { kind: 'disconnect', peer: B, reason: 'test' });
  const reborn = { ...selfOf(B), generation: generation(3) };
  const dialled = (at: number): number => {
    const effects = links?.step(at as Instant, { kind: 'connect', address: 'b:9', peer: B }) ?? [];
    return effects.flatMap((effect) => (effect.kind === 'dial' ? [effect.link] : []))[0] ?? 0;
  };
  const answer = (at: number, facts: HandshakeSelf): readonly LinksEffect[] => {
    const link = dialled(at);
    links?.step(at as Instant, { kind: 'linkOpened', link });
    const ack: Message = { type: 'helloAck', version: 1, ...facts };
    const envelope = pair.envelopeFrom(B, ack, { sequence: 1 });
    return links?.step(at as Instant, { kind: 'received', link, envelope }) ?? [];
  };
  answer(10_000, reborn);
  links?.step(at(10_000), { kind: 'disconnect', peer: B, reason: 'test' });
  const late = answer(20_000, { ...selfOf(B), generation: generation(2) });
  expect(late.map((effect) => effect.kind)).toContain('hangUp');
  expect(late.map((effect) => effect.kind)).not.toContain('rejected');
  const foreign = answer(30_000, { ...reborn, clusterId: clusterId('d'.repeat(32)) });
  expect(foreign.map((effect) => effect.kind)).toContain('rejected');
});

test('L12: a big message never takes the control link', () => {
  const pair = connected();
  const bulk = pair.effects(A, 'dial').at(-1);
  pair.input(A, { kind: 'pressure', link: bulk?.link ?? 0, bufferedBytes: LINKS.bufferedBytesMax });
  const body = new Uint8Array(LINKS.controlMessageBytesMax);
  const previous = { epoch: 1, index: 0 };
  const record = { epoch: 1, index: 1, sync: 'disk', body } as const;
  const shard = { shard: shardId(0, 8), epoch: 1, previous, commit: 0, records: [record] };
  const message: Message = { type: 'replicate', shards: [shard] };
  const replicated = (): readonly LinksEffect[] =>
    pair.effects(B, 'transmit').filter((effect) => effect.message === message);
  pair.now = at(LINKS.backoffMsMax);
  pair.input(B, { kind: 'deliver', to: A, address: 'a:7700', message });
  // The bulk link that was dialled for it.
  expect(pair.effects(B, 'dial').at(-1)).toMatchObject({ channel: 'bulk', link: 1 });
  expect(replicated()).toMatchObject([{ link: 1 }]);
  expect(pair.effects(A, 'message').at(-1)?.envelope.message).toBe(message);
});

test('L12: only a few big messages wait for a bulk link', () => {
  const links = new Links({ self: selfOf(B), random: Random.of(7) });
  const pair = new Pair(selfOf(A));
  links.step(at(0), { kind: 'linkAccepted', link: -1, remote: 'x' });
  const hello: Message = { type: 'hello', channel: 'control', ...selfOf(A) };
  const envelope = pair.envelopeFrom(A, hello, { sequence: 1 });
  links.step(at(0), { kind: 'received', link: -1, envelope });
  const state = new Uint8Array(LINKS.controlMessageBytesMax + 1);
  const origin = { operationId: '', fingerprint: 0 };
  const about = { shard: shardId(0, 8), orphan: 1, namespace: 'n', key: 'k', ...origin };
  const message: Message = { type: 'offerOrphan', ...about, state };
  const drops = (): number =>
    links
      .step(at(0), { kind: 'deliver', to: A, address: '', message })
      .filter((effect) => effect.kind === 'event' && effect.event.name === 'send.dropped').length;
  const dropped = Array.from({ length: LINKS.heavyMessagesMax + 2 }, drops);
  expect(dropped).toEqual([...Array.from({ length: LINKS.heavyMessagesMax }, () => 0), 1, 1]);
});

test.each([
  ['replicate', { type: 'replicate', shards: [] }, false],
  ['answers', { type: 'answers', answers: [] }, true],
] as const)(
  'L6: of a full bulk link, only what is said again is dropped: %s',
  (_type, message, kept) => {
    const pair = connected();
    const link = pair.effects(A, 'dial').at(-1)?.link ?? 0;
    pair.input(A, { kind: 'pressure', link, bufferedBytes: LINKS.bulkBufferedBytesMax + 1 });
    const before = pair.effects(A, 'transmit').length;
    pair.input(A, { kind: 'deliver', to: B, address: 'b:7700', message });
    expect(pair.effects(A, 'transmit').length - before).toBe(kept ? 1 : 0);
  },
);
