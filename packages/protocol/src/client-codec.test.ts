import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CLIENT_MESSAGE_TYPES, decodeClientMessage, encodeClientMessage } from './client-codec.ts';
import { decodeEnvelope, encodeEnvelope } from './codec.ts';
import { actorId, nodeId, type ShardId } from './ids.ts';
import { LIMITS } from './limits.ts';
import type { ClientMessage } from './messages/client.ts';
import {
  type Answer,
  answerBytes,
  answerField,
  type Operation,
  operationBytes,
  operationField,
} from './messages/operations.ts';
import { CLIENT_EXAMPLES } from './testdata/client-examples.ts';
import { answers, operations } from './testdata/data-examples.ts';
import { enveloped } from './testdata/examples.ts';
import { pack, unpack, type WireValue } from './wire/msgpack.ts';
import { WireError } from './wire/wire-error.ts';

const MESSAGES = Object.entries(CLIENT_EXAMPLES).map(([name, message]) => ({ name, message }));
const encoded = MESSAGES.map(({ message }) => encodeClientMessage(message));

function rawOf(message: ClientMessage): WireValue[] {
  const bytes = encodeClientMessage(message);
  return unpack(bytes, bytes.length) as WireValue[];
}

test.each([0, 7, 15, 17, 34, 53, 70_000])('W4: client type %i is reported as unknown', (type) => {
  expect(decodeClientMessage(pack([type, ['whatever']]))).toEqual({
    kind: 'unknownType',
    messageType: type,
  });
});

test.each([
  { raw: 5, problem: 'message: expected a list of at least 2, got 5.' },
  { raw: [1], problem: 'message: expected a list of at least 2, got a list of 1.' },
  { raw: ['clientHello', []], problem: 'message.type: expected a whole number' },
  { raw: [-1, []], problem: 'message.type: expected a whole number' },
  { raw: [1, null], problem: 'clientHello: expected a list, got nothing.' },
  { raw: [48, [1, 4096]], problem: 'feedOpen: expected a list of at least 5' },
])('W5: a client that says $raw learns what is wrong', ({ raw, problem }) => {
  expect(decodeClientMessage(pack(raw))).toEqual({
    kind: 'invalid',
    problem: expect.stringContaining(problem),
  });
});

test('W5: any bytes from a client are a message, an unknown type or a described problem', () => {
  const damaged = fc
    .tuple(fc.constantFrom(...encoded), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
    .map(([bytes, flips]) => {
      const copy = Uint8Array.from(bytes);
      for (const [at, value] of flips) copy[at % copy.length] = value;
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), (bytes) => {
      const decoded = decodeClientMessage(bytes);
      if (decoded.kind === 'invalid') expect(decoded.problem).toMatch(/^.+\.$/s);
      if (decoded.kind !== 'message') return;
      expect(decodeClientMessage(encodeClientMessage(decoded.message))).toEqual(decoded);
    }),
    { numRuns: 3_000 },
  );
});

test.each(MESSAGES)('W5: $name cut at any byte is a described problem', ({ message }) => {
  const bytes = encodeClientMessage(message);
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeClientMessage(bytes.subarray(0, length)).kind).toBe('invalid');
  }
});

test('W6: a message that is too large as a whole is not sent, and not read', () => {
  const [put] = operations;
  if (put?.body.kind !== 'put') throw new Error('The first example is a put.');
  const entry = new Uint8Array(LIMITS.entryBytesMax);
  const large: Operation = { ...put, body: { ...put.body, entry } };
  const messageOf = (count: number): ClientMessage => {
    return { type: 'operations', operations: Array.from({ length: count }, () => large) };
  };
  expect(decodeClientMessage(encodeClientMessage(messageOf(7))).kind).toBe('message');
  expect(() => encodeClientMessage(messageOf(8))).toThrow(
    `operations: expected at most ${LIMITS.operationsBytesMax} bytes, got`,
  );
  const bytes = pack([CLIENT_MESSAGE_TYPES.operations, rawOfLarge(8, large)]);
  expect(decodeClientMessage(bytes).kind).toBe('invalid');
});

function rawOfLarge(count: number, operation: Operation): WireValue {
  return [Array.from({ length: count }, () => operationField.toWire(operation))];
}

test('W6: an unknown message is not sent', () => {
  const strange = { type: 'toString' } as unknown as ClientMessage;
  expect(() => encodeClientMessage(strange)).toThrow('expected a known message type');
});

test('W6: what is left of a deadline is rounded, and never becomes nothing', () => {
  const [first] = operations;
  if (first === undefined) throw new Error('There are examples.');
  const timeoutMs = [2_999.6, 0.2, 1].map((left) => {
    const sent = operationField.toWire({ ...first, timeoutMs: left });
    return operationField.fromWire(sent).timeoutMs;
  });
  expect(timeoutMs).toEqual([3_000, 1, 1]);
});

test('W3: operations and answers keep what a newer version added, between nodes too', () => {
  const raw = rawOf({ type: 'operations', operations });
  for (const operation of (raw[1] as WireValue[][])[0] as WireValue[][]) {
    (operation[3] as WireValue[]).push('of the body');
    operation.push('of the operation', [1]);
  }
  const decoded = decodeClientMessage(pack(raw));
  if (decoded.kind !== 'message') throw new Error(JSON.stringify(decoded));
  expect(encodeClientMessage(decoded.message)).toEqual(pack(raw));
  // The node that received it forwards the same operations to another node.
  if (decoded.message.type !== 'operations') throw new Error('It was a message of operations.');
  const forwarded = decodeEnvelope(encodeEnvelope(enveloped(decoded.message)));
  expect(forwarded).toMatchObject({ kind: 'message', envelope: { message: decoded.message } });
});

test.each(operations)('W11: the size of a $body.kind is known without encoding it', (operation) => {
  expect(operationBytes(operation)).toBe(pack(operationField.toWire(operation)).length);
});

test.each(answers)('W11: the size of an answer "$result.kind" is known', (answer) => {
  expect(answerBytes(answer)).toBe(pack(answerField.toWire(answer)).length);
});

const actor = fc
  .tuple(fc.stringMatching(/^[0-9a-f]{32}$/), fc.nat())
  .map(([node, epoch]) => actorId(nodeId(node), epoch));
const bytes = fc.uint8Array({ minLength: 1, maxLength: 400 });
const key = fc.stringMatching(/^[a-zäöü€😀:{}-]{1,20}$/u).filter((text) => text.length > 0);
const shard = fc.integer({ min: 0, max: 4095 }).map((value) => value as ShardId);
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test('W2: whatever operation is sent is what arrives', () => {
  const condition = fc.oneof(
    fc.constantFrom({ kind: 'always' } as const, { kind: 'absent' } as const),
    fc.record({
      kind: fc.constant('version' as const),
      dot: fc.record({ actor, counter: fc.integer({ min: 1, max: 2 ** 53 - 1 }) }),
    }),
  );
  const body = fc.record({
    kind: fc.constant('put' as const),
    namespace: key,
    key,
    entry: bytes,
    condition,
  });
  const operation: fc.Arbitrary<Operation> = fc.record({
    id: count,
    shard,
    operationId: fc.uuid(),
    body,
    read: fc.constantFrom('one', 'quorum', 'strong'),
    durability: fc.constantFrom('one', 'quorum'),
    sync: fc.constantFrom('memory', 'os', 'disk'),
    timeoutMs: fc.integer({ min: 1 }),
    noAutonomous: fc.boolean(),
    atLeast: count,
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 5 }), (list) => {
      const message: ClientMessage = { type: 'operations', operations: list };
      expect(decodeClientMessage(encodeClientMessage(message))).toEqual({
        kind: 'message',
        message,
      });
    }),
  );
});

test('W2: whatever was found is what arrives', () => {
  const version = fc.record({
    dot: fc.record({ actor, counter: fc.integer({ min: 1 }) }),
    timestamp: fc.record({ ms: fc.nat(), counter: fc.nat(0xffff) }),
  });
  const answer: fc.Arbitrary<Answer> = fc.record({
    id: count,
    shard,
    position: fc.record({ epoch: count, index: count }),
    result: fc.record({
      kind: fc.constant('found' as const),
      found: fc.record({ key, entry: bytes, version }),
      source: fc.constantFrom('primary', 'replica', 'quorum'),
      stalenessMs: count,
    }),
  });
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 5 }), (list) => {
      const message: ClientMessage = { type: 'answers', answers: list };
      expect(decodeClientMessage(encodeClientMessage(message))).toEqual({
        kind: 'message',
        message,
      });
    }),
  );
});

test('W5: names with control characters do not get past the wire', () => {
  const [put] = operations;
  if (put?.body.kind !== 'put') throw new Error('The first example is a put.');
  for (const name of ['', 'a\0b', 'a\nb', '\u0085']) {
    const bad: Operation = { ...put, body: { ...put.body, key: name } };
    expect(() => operationField.toWire(bad)).toThrow(WireError);
  }
});
