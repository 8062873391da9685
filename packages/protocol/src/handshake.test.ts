import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from './codec.ts';
import {
  answerHello,
  checkHelloAck,
  type HandshakeKnowledge,
  type HandshakeSelf,
} from './handshake.ts';
import {
  type ClusterId,
  clusterId,
  generation,
  groupEpoch,
  type NodeId,
  nodeId,
  shortId,
} from './ids.ts';
import type { Hello, HelloAck } from './messages/handshake.ts';
import { enveloped } from './testdata/examples.ts';

const OURS = clusterId('c1000000000000000000000000000001');
const THEIRS = clusterId('c2000000000000000000000000000002');
const A = nodeId('0a000000000000000000000000000001');
const B = nodeId('0b000000000000000000000000000002');

function selfOf(overrides: Partial<HandshakeSelf> = {}): HandshakeSelf {
  return {
    protocolMin: 1,
    protocolMax: 1,
    features: ['siblings', 'zones'],
    clusterId: OURS,
    groupEpoch: groupEpoch(1),
    nodeId: A,
    generation: generation(4),
    instance: 11,
    address: '10.0.0.1:7400',
    ...overrides,
  };
}

function helloOf(overrides: Partial<Hello> = {}): Hello {
  const { ...other } = selfOf({ nodeId: B, instance: 22, address: '10.0.0.2:7400' });
  return { type: 'hello', channel: 'control', ...other, ...overrides };
}

function knowing(overrides: Partial<HandshakeKnowledge> = {}): HandshakeKnowledge {
  return {
    newestGeneration: () => undefined,
    instanceOf: () => undefined,
    expelled: () => false,
    ...overrides,
  };
}

function ackOf(overrides: Partial<HelloAck> = {}): HelloAck {
  const { protocolMin: _min, protocolMax: _max, ...other } = selfOf({ nodeId: B, instance: 22 });
  return { type: 'helloAck', version: 1, ...other, ...overrides };
}

test('W8: an accepted caller learns who answered and what was chosen', () => {
  expect(answerHello(helloOf(), selfOf(), knowing())).toEqual({
    kind: 'accept',
    ack: {
      type: 'helloAck',
      version: 1,
      features: ['siblings', 'zones'],
      clusterId: OURS,
      groupEpoch: 1,
      nodeId: A,
      generation: 4,
      instance: 11,
      address: '10.0.0.1:7400',
    },
  });
});

/** Everything that both sides check about the other, as far as it fits both messages. */
const REFUSED: readonly {
  name: string;
  peer: Partial<Pick<Hello, 'nodeId' | 'instance' | 'clusterId' | 'generation'>>;
  knowledge?: Partial<HandshakeKnowledge>;
  reason: string;
  says: readonly string[];
}[] = [
  { name: 'itself', peer: { nodeId: A, instance: 11 }, reason: 'self', says: [shortId(A)] },
  {
    name: 'a copy of itself',
    peer: { nodeId: A, instance: 22, generation: generation(5) },
    reason: 'identityInUse',
    says: [shortId(A), 'generation 5 with instance 22', 'generation 4 with instance 11'],
  },
  {
    name: 'another cluster',
    peer: { clusterId: THEIRS },
    reason: 'wrongCluster',
    says: [shortId(B), shortId(THEIRS), shortId(A), shortId(OURS)],
  },
  {
    name: 'an expelled node',
    peer: {},
    knowledge: { expelled: (id) => id === B },
    reason: 'expelled',
    says: [shortId(B), 'expelled'],
  },
  {
    name: 'an earlier life of a node',
    peer: { generation: generation(3) },
    knowledge: { newestGeneration: (id) => (id === B ? generation(6) : undefined) },
    reason: 'staleGeneration',
    says: [shortId(B), 'generation 3', '6 is known'],
  },
  {
    name: 'one of two copies',
    peer: { generation: generation(6), instance: 23 },
    knowledge: {
      newestGeneration: () => generation(6),
      instanceOf: (id, life) => (id === B && life === 6 ? 22 : undefined),
    },
    reason: 'identityInUse',
    says: [shortId(B), 'generation 6 with instance 23', 'generation 6 with instance 22'],
  },
];

test.each(REFUSED)('W9: $name is refused as $reason by both sides', (refused) => {
  const { peer, reason, says } = refused;
  const knowledge = knowing(refused.knowledge);
  const answers = [
    answerHello(helloOf(peer), selfOf(), knowledge),
    checkHelloAck(ackOf(peer), selfOf(), knowledge),
  ];
  for (const answer of answers) {
    expect(answer).toMatchObject({ kind: 'reject', reject: { type: 'reject', reason } });
    if (answer.kind !== 'reject') return;
    for (const value of says) expect(answer.reject.detail).toContain(value);
    expect(answer.reject.detail).toMatch(/\.$/);
    const sent = decodeEnvelope(encodeEnvelope(enveloped(answer.reject)));
    expect(sent).toMatchObject({ kind: 'message', envelope: { message: answer.reject } });
  }
});

test.each<{ ours: ClusterId | undefined; theirs: ClusterId | undefined; accepted: boolean }>([
  { ours: OURS, theirs: OURS, accepted: true },
  { ours: undefined, theirs: OURS, accepted: true },
  { ours: OURS, theirs: undefined, accepted: true },
  { ours: undefined, theirs: undefined, accepted: true },
  { ours: OURS, theirs: THEIRS, accepted: false },
])('W9: cluster $ours and cluster $theirs may speak: $accepted', ({ ours, theirs, accepted }) => {
  const self = selfOf({ clusterId: ours });
  const answer = answerHello(helloOf({ clusterId: theirs }), self, knowing());
  const check = checkHelloAck(ackOf({ clusterId: theirs }), self, knowing());
  expect([answer.kind === 'accept', check.kind === 'accept']).toEqual([accepted, accepted]);
});

test('W9: a newer life of a known node, and the life that is known, are welcome', () => {
  const knowledge = knowing({
    newestGeneration: () => generation(6),
    instanceOf: (_, life) => (life === 6 ? 22 : undefined),
  });
  for (const [life, instance] of [
    [6, 22],
    [7, 99],
  ] as const) {
    const peer = { generation: generation(life), instance };
    expect(answerHello(helloOf(peer), selfOf(), knowledge).kind).toBe('accept');
    expect(checkHelloAck(ackOf(peer), selfOf(), knowledge).kind).toBe('accept');
  }
});

test('W8: without a common version the link is refused with both ranges', () => {
  const answer = answerHello(helloOf({ protocolMin: 3, protocolMax: 4 }), selfOf(), knowing());
  expect(answer).toEqual({
    kind: 'reject',
    reject: {
      type: 'reject',
      reason: 'protocolMismatch',
      detail: 'Node 0b000000 speaks protocol 3 to 4, node 0a000000 speaks 1 to 1.',
    },
  });
});

test.each([
  { ack: { version: 2 }, reason: 'protocolMismatch', says: 'chose protocol 2' },
  { ack: { version: 0 }, reason: 'protocolMismatch', says: 'was offered 1 to 1' },
  { ack: { features: ['zones', 'odd'] }, reason: 'badMessage', says: 'chose feature "odd"' },
])('W8: an answer that chose $ack is not believed', ({ ack, reason, says }) => {
  expect(checkHelloAck(ackOf(ack), selfOf(), knowing())).toEqual({
    kind: 'reject',
    reject: { type: 'reject', reason, detail: expect.stringContaining(says) },
  });
});

const range = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(4)).map(([min, more]) => {
  return { protocolMin: min, protocolMax: min + more };
});
const names = fc.array(fc.constantFrom<string>('a', 'b', 'c', 'd', 'e'), { maxLength: 8 });
const side = fc.record({ range, names }).map((offer) => {
  return { ...offer.range, features: offer.names };
});

test('W8: both sides end with the highest common version and the features both have', () => {
  fc.assert(
    fc.property(side, side, (caller, callee) => {
      const dialler = selfOf({ ...caller, nodeId: B, instance: 22 });
      const answer = answerHello(helloOf(caller), selfOf(callee), knowing());
      const common = [6, 5, 4, 3, 2, 1, 7, 8, 9, 10].filter((version) => {
        return [caller, callee].every((s) => s.protocolMin <= version && version <= s.protocolMax);
      });
      expect(answer.kind).toBe(common.length > 0 ? 'accept' : 'reject');
      if (answer.kind !== 'accept') return;
      expect(answer.ack.version).toBe(Math.max(...common));
      const both = ['a', 'b', 'c', 'd', 'e'].filter((name) => {
        return caller.features.includes(name) && callee.features.includes(name);
      });
      expect(answer.ack.features).toEqual(both);
      expect(checkHelloAck(answer.ack, dialler, knowing())).toEqual({
        kind: 'accept',
        version: Math.max(...common),
        features: both,
      });
    }),
  );
});

test('W8: who calls whom changes neither version nor features', () => {
  fc.assert(
    fc.property(side, side, (one, other) => {
      const there = answerHello(helloOf(one), selfOf(other), knowing());
      const back = answerHello(helloOf(other), selfOf(one), knowing());
      const chosen = [there, back].map((answer) => {
        return answer.kind === 'accept' ? [answer.ack.version, answer.ack.features] : 'refused';
      });
      expect(chosen[0]).toEqual(chosen[1]);
    }),
  );
});

test('W9: a peer is judged by what is known about it and not about another', () => {
  const asked: NodeId[] = [];
  const knowledge = knowing({
    expelled: (id) => asked.push(id) < 0,
    newestGeneration: (id) => (asked.push(id) < 0 ? generation(1) : undefined),
    instanceOf: (id) => (asked.push(id) < 0 ? 1 : undefined),
  });
  answerHello(helloOf(), selfOf(), knowledge);
  expect(asked).toEqual([B, B, B]);
});
