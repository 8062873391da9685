import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCommand, decodeEnvelope, decodeValue, encodeEnvelope } from './codec.ts';
import {
  decodeEntry,
  decodePatch,
  entryStateField,
  recordBodyField,
} from './entry/entry-fields.ts';
import { decodeError } from './error-wire.ts';
import { readFrame } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { foundingPlanField } from './messages/control.ts';
import { logEntryField } from './messages/election.ts';
import { memberMetaField, memberUpdateField } from './messages/membership.ts';
import { shardConfigField } from './messages/shards.ts';
import { CASES, enveloped } from './testdata/examples.ts';
import { pack } from './wire/msgpack.ts';
import { WireError } from './wire/wire-error.ts';

const messages = CASES.map(({ message }) => encodeEnvelope(enveloped(message)));
const validMessage = fc.constantFrom(...messages);
const anyBytes = fc.uint8Array({ maxLength: 600 });

/** A valid message with a few bytes replaced, one stretch removed or another inserted. */
const damagedMessage = fc
  .tuple(
    validMessage,
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    fc.option(fc.tuple(fc.nat(), fc.nat(20), fc.uint8Array({ maxLength: 20 }))),
  )
  .map(([message, flips, splice]) => {
    const bytes = [...message];
    for (const [at, value] of flips) bytes[at % bytes.length] = value;
    if (splice !== null) bytes.splice(splice[0] % bytes.length, splice[1], ...splice[2]);
    return Uint8Array.from(bytes);
  });

test('W5: any bytes are a message, an unknown type or a described problem', () => {
  fc.assert(
    fc.property(fc.oneof(anyBytes, damagedMessage), (bytes) => {
      const decoded = decodeEnvelope(bytes);
      if (decoded.kind === 'invalid') expect(decoded.problem).toMatch(/^.+\.$/s);
      if (decoded.kind !== 'message') return;
      // What was accepted can be sent, and is then understood in the same way.
      expect(decodeEnvelope(encodeEnvelope(decoded.envelope))).toEqual(decoded);
    }),
    { numRuns: 5_000 },
  );
});

test.each(CASES)('W5: $file: $name cut at any byte is a described problem', ({ message }) => {
  const bytes = encodeEnvelope(enveloped(message));
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeEnvelope(bytes.subarray(0, length)).kind).toBe('invalid');
  }
});

const readers: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  command: decodeCommand,
  entry: decodeEntry,
  entryState: (bytes) => decodeValue(entryStateField, bytes),
  error: decodeError,
  foundingPlan: (bytes) => decodeValue(foundingPlanField, bytes),
  logEntry: (bytes) => decodeValue(logEntryField, bytes),
  memberMeta: (bytes) => decodeValue(memberMetaField, bytes),
  memberUpdate: (bytes) => decodeValue(memberUpdateField, bytes),
  patch: decodePatch,
  recordBody: (bytes) => decodeValue(recordBodyField, bytes),
  shardConfig: (bytes) => decodeValue(shardConfigField, bytes),
};

const anyList = fc
  .array(
    fc.oneof(
      fc.nat(40),
      fc.constantFrom(null, true, 'zone', '__proto__', 2 ** 60, -1, 0.5),
      fc.constant(new Uint8Array(16)),
      fc.array(fc.oneof(fc.nat(9), fc.constant('x')), { maxLength: 4 }),
    ),
    { maxLength: 20 },
  )
  .map((raw) => pack(raw));

test.each(Object.keys(readers))('W5: reading any bytes as %s ends in a WireError', (name) => {
  fc.assert(
    fc.property(fc.oneof(anyBytes, anyList, damagedMessage), (bytes) => {
      try {
        readers[name]?.(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('W7: any bytes are a frame or a described problem, however they are cut', () => {
  const frame = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }).map((records) => {
    const writer = new FrameWriter(4096);
    for (const record of records) writer.add(record);
    return writer.take()[0] ?? Uint8Array.of(0x4d, 0x47, 1, 0);
  });
  const damaged = fc.tuple(frame, fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
    const copy = Uint8Array.from(bytes);
    copy[at % copy.length] = value;
    return copy;
  });
  const bytesMax = 256;
  fc.assert(
    fc.property(fc.oneof(anyBytes, frame, damaged), fc.array(fc.nat(50)), (bytes, cuts) => {
      const whole = readFrame(bytes, bytesMax);
      const reader = new FrameReader(bytesMax);
      const messages: Uint8Array[] = [];
      const pieces = [...piecesOf(bytes, cuts).map((piece) => reader.push(piece)), reader.end()];
      for (const read of pieces) if (read.kind === 'messages') messages.push(...read.messages);
      const problem = pieces.find((read) => read.kind === 'invalid');
      expect(problem === undefined).toBe(whole.kind === 'messages');
      if (whole.kind === 'messages')
        expect(messages.map(copied)).toEqual(whole.messages.map(copied));
    }),
    { numRuns: 3_000 },
  );
});

function piecesOf(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const cut of cuts) {
    pieces.push(bytes.subarray(at, at + cut));
    at += cut;
  }
  return [...pieces, bytes.subarray(at)];
}

function copied(bytes: Uint8Array): number[] {
  return [...bytes];
}
