import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addClientMessage, encodeClientMessage } from './client-codec.ts';
import { addEnvelope, encodeEnvelope } from './codec.ts';
import { frameBytesMax, readFrame } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { LIMITS } from './limits.ts';
import { CLIENT_EXAMPLES } from './testdata/client-examples.ts';
import { CASES, enveloped } from './testdata/examples.ts';

const HEADER = [0x4d, 0x47, 1, 0];
const record = (...bytes: number[]): number[] => [0, 0, 0, bytes.length, ...bytes];
const frameOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

test('W2: a frame is its header and each message behind its length', () => {
  const writer = new FrameWriter(64);
  writer.add(Uint8Array.of(7, 8));
  writer.add(Uint8Array.of(9));
  expect(writer.take()).toEqual([frameOf(...HEADER, ...record(7, 8), ...record(9))]);
  expect(writer.take()).toEqual([]);
});

test('W2: what was added may be written over', () => {
  const writer = new FrameWriter(64);
  const message = Uint8Array.of(7, 8);
  writer.add(message);
  message.fill(0);
  writer.add(message);
  expect(writer.take()).toEqual([frameOf(...HEADER, ...record(7, 8), ...record(0, 0))]);
});

test('W2: messages are written into a frame as they are encoded alone', () => {
  const clientMessages = Object.values(CLIENT_EXAMPLES);
  const envelopes = CASES.map(({ message }) => enveloped(message));
  const alone = new FrameWriter(1_000_000);
  const direct = new FrameWriter(1_000_000);
  for (const message of clientMessages) alone.add(encodeClientMessage(message));
  for (const message of clientMessages) addClientMessage(direct, message);
  for (const one of envelopes) alone.add(encodeEnvelope(one));
  for (const one of envelopes) addEnvelope(direct, one);
  expect(direct.take()).toEqual(alone.take());
});

test('W6: a message that breaks a limit is refused with the reason, and leaves nothing behind', () => {
  const writer = new FrameWriter(1_000);
  const invalid = { type: 'clientPing', token: -1 } as const;
  expect(() => addClientMessage(writer, invalid)).toThrow('clientPing.token: expected');
  const [, message] = CASES.map((one) => one.message);
  if (message === undefined) throw new Error('There are no examples.');
  expect(() => addEnvelope(writer, { ...enveloped(message), cluster32: -1 })).toThrow('cluster32');
  addClientMessage(writer, { type: 'clientPing', token: 1 });
  expect(writer.take()).toHaveLength(1);
  expect(writer.take()).toEqual([]);
});

test('W7: each channel has its limit', () => {
  expect(frameBytesMax('control')).toBe(LIMITS.controlFrameBytesMax);
  expect(frameBytesMax('bulk')).toBe(LIMITS.bulkFrameBytesMax);
});

test('W7: messages keep their order, and no frame is larger than the limit', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 60 });
  fc.assert(
    fc.property(messages, fc.integer({ min: 48, max: 300 }), (sent, bytesMax) => {
      const writer = new FrameWriter(bytesMax);
      for (const message of sent) writer.add(message);
      const received: Uint8Array[] = [];
      for (const frame of writer.take()) {
        expect(frame.length).toBeLessThanOrEqual(bytesMax);
        const read = readFrame(frame, bytesMax);
        if (read.kind === 'invalid') throw new Error(read.problem);
        received.push(...read.messages);
      }
      expect(received).toEqual(sent);
    }),
  );
});

test('W7: a frame holds at most so many messages', () => {
  const writer = new FrameWriter(1_000_000);
  for (let i = 0; i <= LIMITS.frameMessagesMax; i++) writer.add(new Uint8Array());
  expect(writer.take().map((frame) => frame.length)).toEqual([4 + 4 * 4096, 8]);
});

test('W6: a message that no frame can hold is refused alone', () => {
  const writer = new FrameWriter(20);
  writer.add(Uint8Array.of(1));
  expect(() => writer.add(new Uint8Array(13))).toThrow(
    'expected a message of at most 12 bytes, got 13.',
  );
  writer.add(new Uint8Array(12));
  expect(writer.take().map((frame) => frame.length)).toEqual([9, 20]);
});

const INVALID: readonly { name: string; bytes: number[]; problem: string }[] = [
  { name: 'nothing', bytes: [], problem: 'Frame ends after 0 bytes' },
  { name: 'half a header', bytes: [0x4d, 0x47], problem: 'Frame ends after 2 bytes' },
  { name: 'an HTTP request', bytes: [71, 69, 84, 32], problem: 'begins with 0x47' },
  { name: 'another format', bytes: [0x4d, 0x47, 2, 0], problem: 'Frame format 2: this version' },
  { name: 'a flag', bytes: [0x4d, 0x47, 1, 4], problem: 'Frame flags 4: this version knows no' },
  { name: 'half a length', bytes: [...HEADER, 0, 0], problem: 'Frame ends after 6 bytes' },
  { name: 'half a message', bytes: [...HEADER, 0, 0, 0, 2, 1], problem: '' },
  { name: 'a length of 4 GiB', bytes: [...HEADER, 255, 255, 255, 255], problem: '4294967295' },
  {
    name: 'a second message that is too long',
    bytes: [...HEADER, ...record(1), 0, 0, 0, 90],
    problem: 'Message of 90 bytes',
  },
  { name: 'one byte too many', bytes: [...HEADER, ...record(...Array(57).fill(1))], problem: '64' },
];

test.each(INVALID)('W7: $name is refused as a whole frame', ({ bytes, problem }) => {
  const read = readFrame(frameOf(...bytes), 64);
  expect(read).toEqual({ kind: 'invalid', problem: expect.stringContaining(problem) });
});

test.each(INVALID)('W7: $name is refused byte by byte, and stays so', ({ bytes, problem }) => {
  const reader = new FrameReader(64);
  for (const byte of bytes) reader.push(Uint8Array.of(byte));
  const read = reader.end();
  expect(read).toEqual({ kind: 'invalid', problem: expect.stringContaining(problem) });
  expect(reader.push(frameOf(...HEADER))).toEqual(read);
});

test('W7: a length is refused before any of its bytes arrives', () => {
  const reader = new FrameReader(64);
  expect(reader.push(frameOf(...HEADER, 0, 0, 0, 56)).kind).toBe('messages');
  const other = new FrameReader(64);
  expect(other.push(frameOf(...HEADER, 0, 0, 0, 57))).toEqual({
    kind: 'invalid',
    problem: "Message of 57 bytes: 57 more would pass the frame's limit of 64 bytes.",
  });
});

test('W7: a reader is ready for the next frame, and messages do not share its memory', () => {
  const reader = new FrameReader(64);
  const chunk = frameOf(...HEADER, ...record(1, 2));
  for (let round = 0; round < 3; round++) {
    const first = reader.push(chunk.subarray(0, 9));
    const copy = chunk.slice(9);
    const second = reader.push(copy);
    copy.fill(0);
    expect([first, second]).toEqual([
      { kind: 'messages', messages: [] },
      { kind: 'messages', messages: [Uint8Array.of(1, 2)] },
    ]);
    expect(reader.end()).toEqual({ kind: 'messages', messages: [] });
  }
});

test('W7: too many messages are refused in pieces as well', () => {
  const reader = new FrameReader(1_000_000);
  reader.push(frameOf(...HEADER));
  expect(reader.push(new Uint8Array(4 * LIMITS.frameMessagesMax)).kind).toBe('messages');
  expect(reader.push(new Uint8Array(4))).toEqual({
    kind: 'invalid',
    problem: 'Frame of more than 4096 messages: no more are allowed.',
  });
  expect(readFrame(frameOf(...HEADER, ...new Uint8Array(4 * 4097)), 1_000_000).kind).toBe(
    'invalid',
  );
});
