import {
  answerHello,
  ascending,
  checkHelloAck,
  clusterId,
  decodeCommand,
  decodeEnvelope,
  decodeFoundingPlan,
  decodeMemberRecord,
  decodeValue,
  encodeCommand,
  encodeEnvelope,
  encodeFoundingPlan,
  encodeMemberRecord,
  encodeValue,
  type Envelope,
  extensible,
  generation,
  generationField,
  groupEpoch,
  type HandshakeKnowledge,
  type HandshakeSelf,
  instanceField,
  LIMITS,
  type MemberRecord,
  type Message,
  nodeId,
  nodeIdField,
  optional,
  PROTOCOL,
  protocolVersionField,
  text,
  uint,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';

const A = nodeId('0a000000000000000000000000000001');
const B = nodeId('0b000000000000000000000000000002');

const stranger: HandshakeKnowledge = {
  newestGeneration: () => undefined,
  instanceOf: () => undefined,
  expelled: () => false,
};

function selfOf(overrides: Partial<HandshakeSelf>): HandshakeSelf {
  return {
    protocolMin: PROTOCOL.min,
    protocolMax: PROTOCOL.max,
    features: ['siblings'],
    clusterId: undefined,
    groupEpoch: groupEpoch(0),
    nodeId: A,
    generation: generation(1),
    instance: 1,
    address: '127.0.0.1:7400',
    ...overrides,
  };
}

function sent(version: number, message: Message): Envelope {
  const envelope: Envelope = {
    version,
    flags: 0,
    cluster32: 0,
    source: B,
    sourceGeneration: generation(1),
    targetGeneration: generation(0),
    sequence: 1,
    timestamp: { ms: 0, counter: 0 },
    controlIndex: 0,
    message,
  };
  const decoded = decodeEnvelope(encodeEnvelope(envelope));
  if (decoded.kind !== 'message') throw new Error(JSON.stringify(decoded));
  return decoded.envelope;
}

test.each([
  { newer: [1, 3], features: ['siblings', 'trees'], version: 1, agreed: ['siblings'] },
  { newer: [1, 1], features: [], version: 1, agreed: [] },
  { newer: [2, 3], features: ['siblings'], version: undefined, agreed: [] },
])('a peer that speaks $newer and this build agree on $version', (example) => {
  const [protocolMin = 0, protocolMax = 0] = example.newer;
  const self = selfOf({});
  const peer = selfOf({
    protocolMin,
    protocolMax,
    features: example.features,
    nodeId: B,
    instance: 2,
  });
  // Whichever side dials, and although the newer one writes its own number into the envelope.
  const hello = sent(protocolMax, { type: 'hello', channel: 'control', ...peer }).message;
  if (hello.type !== 'hello') throw new Error(hello.type);
  const answer = answerHello(hello, self, stranger);
  if (example.version === undefined) {
    expect(answer).toMatchObject({ reject: { reason: 'protocolMismatch' } });
    return;
  }
  expect(answer).toMatchObject({ ack: { version: example.version, features: example.agreed } });
  if (answer.kind !== 'accept') return;
  expect(checkHelloAck(answer.ack, peer, stranger)).toEqual({
    kind: 'accept',
    version: example.version,
    features: example.agreed,
  });
});

interface NewerRecord extends MemberRecord {
  readonly rack: string | undefined;
  readonly diskBytes: number | undefined;
}

/** What the next version could do to a record: append optional fields, and nothing else. */
const newerRecordField = extensible<NewerRecord>({
  nodeId: nodeIdField,
  generation: generationField,
  address: text(LIMITS.addressBytesMax),
  zone: text(LIMITS.zoneBytesMax),
  weight: uint(LIMITS.weightMax),
  protocolMin: protocolVersionField,
  protocolMax: protocolVersionField,
  features: ascending(text(LIMITS.featureNameBytesMax), LIMITS.featuresMax),
  instance: instanceField,
  rack: optional(text(32)),
  diskBytes: optional(uint()),
});

const newer: NewerRecord = {
  nodeId: B,
  generation: generation(3),
  address: '127.0.0.1:7401',
  zone: 'z1',
  weight: 100,
  protocolMin: 1,
  protocolMax: 2,
  features: ['siblings'],
  instance: 2,
  rack: 'r7',
  diskBytes: 2 ** 40,
};

test('a newer record goes through a command and a founding plan of this build unharmed', () => {
  const read = decodeMemberRecord(encodeValue(newerRecordField, newer));
  const { rack: _rack, diskBytes: _diskBytes, ...known } = newer;
  expect(read).toEqual({ ...known, unknownFields: ['r7', 2 ** 40] });

  const command = decodeCommand(encodeCommand({ kind: 'register', member: read }));
  if (command.kind !== 'register') throw new Error(command.kind);
  const plan = decodeFoundingPlan(
    encodeFoundingPlan({
      clusterId: clusterId('c1000000000000000000000000000001'),
      founder: A,
      attempt: 1,
      members: [command.member],
      config: { voters: [A], votersOutgoing: [], learners: [] },
      targetVoters: 1,
    }),
  );
  const [member] = plan.members;
  if (member === undefined) throw new Error('The plan lost its member.');
  expect(decodeValue(newerRecordField, encodeMemberRecord(member))).toEqual(newer);
});

test('a newer build reads the record of this one', () => {
  const { rack: _rack, diskBytes: _diskBytes, ...older } = newer;
  expect(decodeValue(newerRecordField, encodeMemberRecord(older))).toEqual({
    ...older,
    rack: undefined,
    diskBytes: undefined,
  });
});

test('messages of the reserved ranges are counted as unknown and are no garbage', () => {
  const bytes = encodeEnvelope(sent(PROTOCOL.max, { type: 'bye', reason: 'x' }));
  for (const messageType of [110, 112, 127]) {
    // The type is the second element, one byte below 128.
    const later = Uint8Array.from(bytes);
    later[2] = messageType;
    expect(decodeEnvelope(later)).toEqual({ kind: 'unknownType', messageType });
  }
});
