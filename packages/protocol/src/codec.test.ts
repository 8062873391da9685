import { expect, test } from 'vitest';
import {
  decodeCommand,
  decodeEnvelope,
  decodeFoundingPlan,
  decodeGroupConfig,
  decodeLogEntry,
  decodeMemberRecord,
  encodeCommand,
  encodeEnvelope,
  encodeFoundingPlan,
  encodeGroupConfig,
  encodeLogEntry,
  encodeMemberRecord,
  encodeValue,
  MESSAGE_FIELDS,
} from './codec.ts';
import type { Envelope } from './envelope.ts';
import { logIndex, nodeId, term } from './ids.ts';
import { LIMITS } from './limits.ts';
import type { LogEntry } from './messages/election.ts';
import {
  memberMetaBytes,
  memberMetaField,
  memberUpdateBytes,
  memberUpdateField,
} from './messages/membership.ts';
import type { Message } from './messages/message.ts';
import {
  alive,
  CASES,
  commands,
  dead,
  enveloped,
  hello,
  joint,
  left,
  member,
  meta,
  plan,
  suspect,
} from './testdata/examples.ts';
import type { Field } from './wire/field.ts';
import { pack, unpack, type WireValue } from './wire/msgpack.ts';

/** A message as the list that it is on the wire, for tests that change it by hand. */
function rawOf(message: Message): WireValue[] {
  const bytes = encodeEnvelope(enveloped(message));
  return unpack(bytes, bytes.length) as WireValue[];
}

function withBody(message: Message, change: (body: WireValue[]) => void): Uint8Array {
  const raw = rawOf(message);
  change(raw[10] as WireValue[]);
  return pack(raw);
}

test.each([0, 6, 15, 25, 112, 207, 65_535])('W4: type %i is reported as unknown', (messageType) => {
  const raw = rawOf(hello);
  raw[1] = messageType;
  raw[10] = ['whatever', ['it says'], 3];
  expect(decodeEnvelope(pack(raw))).toEqual({ kind: 'unknownType', messageType });
});

test('W4: an unknown type with a broken structure is garbage all the same', () => {
  const raw = rawOf(hello);
  raw[1] = 112;
  expect(decodeEnvelope(pack(raw).subarray(0, 30)).kind).toBe('invalid');
});

test('W1: elements that a later version appends to the envelope or the body are left out', () => {
  const ping: Message = { type: 'ping', probe: 1, updates: [] };
  const raw = rawOf(ping);
  (raw[10] as WireValue[]).push('later', [1]);
  raw.push('later still');
  expect(decodeEnvelope(pack(raw))).toEqual({ kind: 'message', envelope: enveloped(ping) });
});

test('W3: a rumour about a newer member is passed on whole', () => {
  const raw = rawOf({ type: 'gossip', updates: [alive] });
  const [update] = (raw[10] as [WireValue[][]])[0] as [WireValue[]];
  (update[5] as WireValue[]).push('mem0 is reachable', 12);
  update.push(['a field of the rumour']);
  const bytes = pack(raw);
  const decoded = decodeEnvelope(bytes);
  if (decoded.kind !== 'message') throw new Error(JSON.stringify(decoded));
  expect(encodeEnvelope(decoded.envelope)).toEqual(bytes);
});

test.each(commands)('W3: a stored $kind keeps what a newer version added', (command) => {
  const bytes = encodeCommand(command);
  const raw = [...(unpack(bytes, bytes.length) as WireValue[]), 'added'];
  expect(encodeCommand(decodeCommand(pack(raw)))).toEqual(pack(raw));
});

test('W5: the problem names the place, the value and the limit', () => {
  const ping: Message = { type: 'ping', probe: 7, updates: [alive, suspect, dead, left] };
  const short = withBody(ping, (body) => {
    ((body[1] as WireValue[])[3] as WireValue[])[0] = new Uint8Array(12);
  });
  const problem = 'ping.updates[3].nodeId: expected 16 bytes, got 12 bytes.';
  expect(decodeEnvelope(short)).toEqual({ kind: 'invalid', problem });
});

test.each([
  { at: 0, value: -1, problem: 'envelope.version: expected a whole number from 0 to 65535' },
  { at: 1, value: 'ping', problem: 'envelope.type: expected a whole number' },
  { at: 3, value: 2 ** 32, problem: 'envelope.cluster32: ' },
  { at: 4, value: 'me', problem: 'envelope.source: expected 16 bytes, got "me".' },
  { at: 8, value: [2 ** 48, 0], problem: 'envelope.timestamp.ms: ' },
  { at: 8, value: [0, 65_536], problem: 'envelope.timestamp.counter: ' },
  { at: 10, value: null, problem: 'hello: expected a list, got nothing.' },
])('W5: $problem', ({ at, value, problem }) => {
  const raw = rawOf(hello);
  raw[at] = value;
  const decoded = decodeEnvelope(pack(raw));
  expect(decoded).toEqual({ kind: 'invalid', problem: expect.stringContaining(problem) });
});

test.each([{ raw: 5 }, { raw: [] }, { raw: [1, 2, 3] }])('W5: $raw is no envelope', ({ raw }) => {
  expect(decodeEnvelope(pack(raw))).toMatchObject({
    kind: 'invalid',
    problem: expect.stringContaining('envelope: expected a list of at least 11'),
  });
});

test('W6: what breaks a limit is not sent, and the sender learns where', () => {
  const sent = (message: Message): Uint8Array => encodeEnvelope(enveloped(message));
  const long = 'x'.repeat(LIMITS.addressBytesMax + 1);
  expect(() => sent({ ...hello, address: long })).toThrow(
    'hello.address: expected text of at most 128 bytes, got 129 bytes.',
  );
  const features = Array.from({ length: 20 }, (_, i) => `feature-${i}-`.padEnd(40, 'x'));
  expect(() =>
    sent({ type: 'gossip', updates: [{ ...alive, meta: { ...meta, features } }] }),
  ).toThrow(/^gossip\.updates\[0\]\.meta: expected at most 512 bytes in all, got \d+\.$/);
  const stranger = { ...enveloped(hello), message: { type: 'toString' } } as unknown as Envelope;
  expect(() => encodeEnvelope(stranger)).toThrow('expected a known message type');
});

test('W8: a handshake message of any version is read, and nothing else of a strange one', () => {
  const future = rawOf(hello);
  future[0] = 9;
  expect(decodeEnvelope(pack(future)).kind).toBe('message');
  const ping = rawOf({ type: 'ping', probe: 1, updates: [] });
  ping[0] = 9;
  expect(decodeEnvelope(pack(ping))).toEqual({
    kind: 'invalid',
    problem: 'envelope.version: expected a protocol version from 1 to 1, got 9.',
  });
});

test.each(CASES)('W11: the size of $file: $name is known without encoding it', ({ message }) => {
  const field = MESSAGE_FIELDS[message.type] as Field<Message>;
  expect(field.bytes(message)).toBe(encodeValue(field, message).length);
});

test('W11: the size of a rumour and of its metadata fit what gossip counts with', () => {
  expect(memberMetaBytes(meta)).toBe(encodeValue(memberMetaField, meta).length);
  for (const update of [alive, suspect, dead, left]) {
    expect(memberUpdateBytes(update)).toBe(encodeValue(memberUpdateField, update).length);
  }
});

const entry: LogEntry = {
  index: logIndex(9),
  term: term(2),
  payload: { kind: 'config', config: joint },
};

test('W2: what is stored comes back equal', () => {
  for (const command of commands) expect(decodeCommand(encodeCommand(command))).toEqual(command);
  expect(decodeLogEntry(encodeLogEntry(entry))).toEqual(entry);
  expect(decodeGroupConfig(encodeGroupConfig(joint))).toEqual(joint);
  expect(decodeFoundingPlan(encodeFoundingPlan(plan))).toEqual(plan);
  expect(decodeMemberRecord(encodeMemberRecord(member))).toEqual(member);
});

test('W5: a configuration in which one voter counts twice is refused', () => {
  const [voter] = joint.voters;
  const twice = { voters: [voter, voter] as never, votersOutgoing: [], learners: [] };
  expect(() => encodeGroupConfig(twice)).toThrow(
    'voters[1]: expected a value after the one before',
  );
  const raw = pack([[new Uint8Array(16), new Uint8Array(16)], [], []]);
  expect(() => decodeGroupConfig(raw)).toThrow('groupConfig.voters[1]: expected a value after');
});

test('W6: an empty command is not one', () => {
  const empty = { ...entry, payload: { kind: 'command', command: new Uint8Array() } } as const;
  expect(() => encodeLogEntry(empty)).toThrow('payload.command: expected 1 to 65536 bytes');
});

test('W2: equal ids in different messages are the same string, whoever sent them', () => {
  const target = nodeId('00112233445566778899aabbccddeeff');
  const decoded = decodeEnvelope(encodeEnvelope(enveloped({ type: 'nack', probe: 1, target })));
  expect(decoded).toMatchObject({ kind: 'message', envelope: { message: { target } } });
});
