import { expect, test } from 'vitest';
import { CLIENT_MESSAGE_TYPES, decodeClientMessage, encodeClientMessage } from './client-codec.ts';
import { decodeEnvelope, encodeEnvelope } from './codec.ts';
import { MESSAGE_TYPES } from './message-numbers.ts';
import { CLIENT_EXAMPLES } from './testdata/client-examples.ts';
import { CASES, enveloped, EXAMPLES } from './testdata/examples.ts';
import { readGolden, recordGolden, recording, toHex } from './testdata/golden-file.ts';
import { PROTOCOL } from './version.ts';

if (recording) {
  for (const [file, examples] of Object.entries(EXAMPLES)) {
    const entries = Object.entries(examples).map(([name, message]) => {
      return [name, encodeEnvelope(enveloped(message))] as const;
    });
    recordGolden(PROTOCOL.max, file, entries);
  }
  const entries = Object.entries(CLIENT_EXAMPLES).map(([name, message]) => {
    return [name, encodeClientMessage(message)] as const;
  });
  recordGolden(PROTOCOL.max, 'client', entries);
}

test.each(CASES)('W2: $file: $name is written as it always was', ({ file, name, message }) => {
  const golden = readGolden(PROTOCOL.max, file).get(name) ?? new Uint8Array();
  expect(toHex(encodeEnvelope(enveloped(message)))).toBe(toHex(golden));
});

test.each(CASES)('W2: $file: $name is read as it always was', ({ file, name, message }) => {
  const golden = readGolden(PROTOCOL.max, file).get(name) ?? new Uint8Array();
  expect(decodeEnvelope(golden)).toEqual({ kind: 'message', envelope: enveloped(message) });
});

test('W2: every message type has golden bytes, and no golden bytes lost their example', () => {
  const shown = new Set(CASES.map(({ message }) => message.type));
  expect([...shown].sort()).toEqual(Object.keys(MESSAGE_TYPES).sort());
  for (const [file, examples] of Object.entries(EXAMPLES)) {
    expect([...readGolden(PROTOCOL.max, file).keys()]).toEqual(Object.keys(examples));
  }
});

const CLIENT_CASES = Object.entries(CLIENT_EXAMPLES).map(([name, message]) => ({ name, message }));

test.each(CLIENT_CASES)('W2: client: $name is written as it always was', ({ name, message }) => {
  const golden = readGolden(PROTOCOL.max, 'client').get(name) ?? new Uint8Array();
  expect(toHex(encodeClientMessage(message))).toBe(toHex(golden));
});

test.each(CLIENT_CASES)('W2: client: $name is read as it always was', ({ name, message }) => {
  const golden = readGolden(PROTOCOL.max, 'client').get(name) ?? new Uint8Array();
  expect(decodeClientMessage(golden)).toEqual({ kind: 'message', message });
});

test('W2: every client message has golden bytes, and none lost their example', () => {
  const shown = new Set(CLIENT_CASES.map(({ message }) => message.type));
  expect([...shown].sort()).toEqual(Object.keys(CLIENT_MESSAGE_TYPES).sort());
  const recorded = [...readGolden(PROTOCOL.max, 'client').keys()];
  expect(recorded).toEqual(Object.keys(CLIENT_EXAMPLES));
});
