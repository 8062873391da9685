import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERROR_CODES, type ErrorCode, type ErrorDetails } from './error-codes.ts';
import { decodeError, encodeError, errorField } from './error-wire.ts';
import { ClusterError, isClusterError } from './errors.ts';
import { clusterId, nodeId } from './ids.ts';
import { pack, unpack, type WireValue } from './wire/msgpack.ts';

const A = nodeId('0a000000000000000000000000000001');
const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

const DETAILS: { readonly [Code in ErrorCode]: ErrorDetails[Code] } = {
  UNKNOWN_CODE: { wire: 4_711 },
  NOT_COORDINATOR: { hint: A },
  QUORUM_UNREACHABLE: { acked: 1, needed: 2 },
  SCHEMA_CONFLICT: { stored: 3, offered: 4 },
  NOT_FOUNDED: { present: 2, expect: 3 },
  NO_COORDINATOR: { waitedMs: 5_000 },
  TIMEOUT: { timeoutMs: 1_500 },
  OVERLOADED: { waiting: 65, max: 64 },
  SHUTTING_DOWN: {},
  WRONG_CLUSTER: {
    ours: clusterId('c1000000000000000000000000000001'),
    theirs: clusterId('c2000000000000000000000000000002'),
  },
  PROTOCOL_MISMATCH: { oursMin: 11, oursMax: 12, theirsMin: 13, theirsMax: 14 },
  IDENTITY_IN_USE: { nodeId: A },
  STALE_DIRECTORY: { nodeId: A, generation: 7, newest: 9 },
  EXPELLED: { nodeId: A },
  BAD_MESSAGE: { problem: 'Nonsense.' },
  BAD_REQUEST: { problem: 'Not a number.' },
  BAD_CONFIGURATION: { problems: ['One.', 'Two.'] },
  DIRECTORY_LOCKED: { directory: './data', pid: 4_712 },
  DIRECTORY_CORRUPT: { directory: './data', problem: 'No identity.' },
  ADDRESS_IN_USE: { address: '127.0.0.1:7400' },
  MEMBER_NOT_FOUND: { member: 'node-9' },
  FEATURE_PROHIBITED: { feature: 'siblings' },
  VERSION_CONFLICT: { current: '4711-0-0a.0-12' },
  NOT_PRIMARY: { shard: 1_023, hint: A },
  NO_PLACEMENT: {},
  SHARD_UNAVAILABLE: { shard: 17, problem: 'It moves.' },
  OPERATION_EXPIRED: { operationId: 'o-1' },
  OPERATION_REUSED: { operationId: 'o-2' },
  ENTRY_TOO_LARGE: { bytes: 300_000, max: 262_144 },
  INVALID_ENTRY: { problems: ['One.', 'Two.'] },
  BAD_TOKEN: { problem: 'It was cut.' },
  BAD_CURSOR: { problem: 'It was cut.' },
  SHARD_UNKNOWN: { id: 'mine' },
  SCOPE_CONFLICT: { id: 'mine' },
  IMMUTABLE_ENTRY: { id: 'mine' },
  SCHEMA_UNKNOWN: { schema: 'memory', version: 3 },
  STORAGE_FULL: { usedBytes: 1_000, maxBytes: 999 },
  ABORTED: {},
  NOT_CONNECTED: { waitedMs: 2_000 },
  CLOSED: {},
  NOT_FOUND: { id: 'mine' },
};

function errorOf(code: ErrorCode): ClusterError {
  return new ClusterError(code, DETAILS[code] as ErrorDetails[ErrorCode]);
}

test.each(CODES)('W10: %s says its values in one sentence', (code) => {
  const { message } = errorOf(code);
  expect(message).toMatch(/^[A-Z0-9].*\.$/);
  for (const value of Object.values(DETAILS[code]).flat()) {
    // An id is shown by its first eight digits.
    const shown = /^[0-9a-f]{32}$/.test(String(value)) ? String(value).slice(0, 8) : String(value);
    expect(message).toContain(shown);
  }
});

test('W10: an absent hint and an absent process id still make a sentence', () => {
  expect(new ClusterError('NOT_COORDINATOR', { hint: undefined }).message).toBe(
    'This node is not the coordinator and knows of none.',
  );
  expect(new ClusterError('DIRECTORY_LOCKED', { directory: './d', pid: undefined }).message).toBe(
    'Another process uses the data directory ./d.',
  );
});

test.each(CODES)('W10: %s arrives with its details, and without its cause', (code) => {
  const cause = new Error('local');
  const sent = new ClusterError(code, DETAILS[code] as ErrorDetails[ErrorCode], { cause });
  const bytes = encodeError(sent);
  const received = decodeError(bytes);
  expect(received.details).toEqual(sent.details);
  const { retry, applied, message } = sent;
  expect(received).toMatchObject({ code, retry, applied, message });
  expect(sent.cause).toBe(cause);
  expect(received.cause).toBeUndefined();
  expect(errorField.bytes(sent)).toBe(bytes.length);
});

test('W10: an unknown code keeps the sentence, what to do and what happened', () => {
  const bytes = encodeError(errorOf('OVERLOADED'));
  const raw = [...(unpack(bytes, bytes.length) as WireValue[])];
  raw[0] = 4_000;
  raw[4] = ['details', 'of', 'a', 'newer', 'version'];
  const received = decodeError(pack(raw));
  expect(received).toMatchObject({
    code: 'UNKNOWN_CODE',
    details: { wire: 4_000 },
    retry: 'later',
    applied: 'no',
    message: '65 requests are waiting; at most 64 may.',
  });
  // Passed on to a third, it still says the same.
  const { retry, applied, message } = decodeError(encodeError(received));
  expect([retry, applied, message]).toEqual(['later', 'no', received.message]);
});

test('W10: details that do not belong to the code are a described problem', () => {
  const bytes = encodeError(errorOf('QUORUM_UNREACHABLE'));
  const raw = [...(unpack(bytes, bytes.length) as WireValue[])];
  raw[4] = [1, 'two'];
  expect(() => decodeError(pack(raw))).toThrow('error.details.needed: expected a whole number');
});

test('W10: a very long message is cut, not refused', () => {
  const error = new ClusterError('BAD_REQUEST', { problem: 'x'.repeat(5_000) });
  expect(decodeError(encodeError(error)).message).toHaveLength(512);
});

test('W1: error numbers are distinct', () => {
  const numbers = CODES.map((code) => ERROR_CODES[code].wire);
  expect(new Set(numbers).size).toBe(CODES.length);
});

test('W10: an error is recognised by its brand, whichever copy of the code made it', () => {
  const error: unknown = errorOf('TIMEOUT');
  expect(isClusterError(error)).toBe(true);
  expect(isClusterError(error, 'TIMEOUT')).toBe(true);
  expect(isClusterError(error, 'OVERLOADED')).toBe(false);
  const ofAnotherCopy = { [Symbol.for('memgrid.ClusterError')]: true, code: 'TIMEOUT' };
  expect(isClusterError(ofAnotherCopy, 'TIMEOUT')).toBe(true);
  for (const other of [new Error('TIMEOUT'), null, undefined, 'TIMEOUT', { code: 'TIMEOUT' }]) {
    expect(isClusterError(other)).toBe(false);
  }
});

test('W10: after a failure that may have been applied, nobody is told to repeat it at once', () => {
  for (const code of CODES) {
    const { applied, retry } = ERROR_CODES[code];
    if (applied === 'unknown') expect(['never', 'later'], code).toContain(retry);
  }
});

test('W10: docs/operations/errors.md is the table', () => {
  const rows = CODES.map((code) => {
    const { wire, retry, applied, summary, next } = ERROR_CODES[code];
    return `| ${wire} | \`${code}\` | ${applied} | ${retry} | ${summary} | ${next} |`;
  });
  const page = new URL('../../../docs/operations/errors.md', import.meta.url);
  const documented = readFileSync(page, 'utf8')
    .split('\n')
    .filter((line) => /^\| \d/.test(line));
  expect(documented).toEqual(rows);
});
