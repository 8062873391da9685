import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { CLIENT_MESSAGE_TYPES, type ClientMessageType } from './client-codec.ts';
import { envelopeHeaderField, MESSAGE_FIELDS } from './codec.ts';
import { entryBodyField, entryStateField, recordBodyField } from './entry/entry-fields.ts';
import { ERROR_CODES, type ErrorCode } from './error-codes.ts';
import { ERROR_DETAIL_FIELDS } from './error-detail-fields.ts';
import { errorField } from './error-wire.ts';
import { FrameWriter } from './frame-writer.ts';
import { MESSAGE_TYPES, type MessageType } from './message-numbers.ts';
import { clientFields } from './messages/client.ts';
import { controlCommandField, foundingPlanField } from './messages/control.ts';
import { logEntryField } from './messages/election.ts';
import { logRecordField } from './messages/replication.ts';
import { shardConfigField } from './messages/shards.ts';
import { readTestdata, recording, recordTestdata } from './testdata/golden-file.ts';
import { PROTOCOL, PROTOCOL_HISTORY } from './version.ts';

const INSTRUCTIONS = `
The wire contract is not the one that protocol version ${PROTOCOL.max} recorded. If that was an
accident, undo it. If it was not:
  1. Only append optional fields and new numbers, and only raise limits: the version before must
     be able to read everything else.
  2. When version ${PROTOCOL.max} was released already, add a line to PROTOCOL_HISTORY in version.ts,
     raise PROTOCOL.max, and copy testdata/v${PROTOCOL.max} to the new version.
  3. Add examples of what is new to testdata/examples.ts.
  4. Run the tests of this package once with MEMGRID_RECORD_WIRE=1 and read the difference.
  5. Put the hash that this test prints into the newest line of PROTOCOL_HISTORY.
`;

/** Everything that two builds must agree on, one fact a line. */
function contract(): string {
  const messageTypes = (Object.keys(MESSAGE_TYPES) as MessageType[]).sort(
    (a, b) => MESSAGE_TYPES[a] - MESSAGE_TYPES[b],
  );
  const clientTypes = (Object.keys(CLIENT_MESSAGE_TYPES) as ClientMessageType[]).sort(
    (a, b) => CLIENT_MESSAGE_TYPES[a] - CLIENT_MESSAGE_TYPES[b],
  );
  const codes = (Object.keys(ERROR_CODES) as ErrorCode[]).sort(
    (a, b) => ERROR_CODES[a].wire - ERROR_CODES[b].wire,
  );
  const writer = new FrameWriter(64);
  writer.add(Uint8Array.of(0xc0));
  return [
    `frame ${Buffer.from(writer.take()[0] ?? []).toString('hex')}`,
    `envelope ${envelopeHeaderField.shape}`,
    ...messageTypes.map((type) => {
      return `message ${MESSAGE_TYPES[type]} ${type} ${MESSAGE_FIELDS[type].shape}`;
    }),
    ...clientTypes.map((type) => {
      return `client message ${CLIENT_MESSAGE_TYPES[type]} ${type} ${clientFields[type].shape}`;
    }),
    `stored command ${controlCommandField.shape}`,
    `stored foundingPlan ${foundingPlanField.shape}`,
    `stored logEntry ${logEntryField.shape}`,
    `stored shardConfig ${shardConfigField.shape}`,
    `stored logRecord ${logRecordField.shape}`,
    `stored recordBody ${recordBodyField.shape}`,
    `stored entryState ${entryStateField.shape}`,
    `stored entryBody ${entryBodyField.shape}`,
    `error ${errorField.shape}`,
    ...codes.map((code) => {
      const { wire, retry, applied } = ERROR_CODES[code];
      return `error ${wire} ${code} ${retry} ${applied} ${ERROR_DETAIL_FIELDS[code].shape}`;
    }),
    '',
  ].join('\n');
}

function recorded(version: number): string {
  return readTestdata(version, 'contract');
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

if (recording) recordTestdata(PROTOCOL.max, 'contract', contract());

test('W1: the shapes, numbers and errors are those that this version recorded', () => {
  expect(contract(), INSTRUCTIONS).toBe(recorded(PROTOCOL.max));
});

test.each(PROTOCOL_HISTORY)('W1: the contract of version $version is as released', (line) => {
  expect(hashOf(recorded(line.version)), INSTRUCTIONS).toBe(line.contract);
});

test('W1: history has one line for each version, ending with the newest that is spoken', () => {
  expect(PROTOCOL_HISTORY.map((line) => line.version)).toEqual(
    Array.from({ length: PROTOCOL.max }, (_, index) => index + 1),
  );
  expect(PROTOCOL.min).toBeGreaterThanOrEqual(1);
  expect(PROTOCOL.min).toBeLessThanOrEqual(PROTOCOL.max);
});

test('W1: message numbers are distinct and inside the range of their conversation', () => {
  const numbers = Object.values(MESSAGE_TYPES);
  expect(new Set(numbers).size).toBe(numbers.length);
  const inRange = (types: object, low: number, high: number): void => {
    for (const type of Object.keys(types) as MessageType[]) {
      expect(MESSAGE_TYPES[type], type).toBeGreaterThanOrEqual(low);
      expect(MESSAGE_TYPES[type], type).toBeLessThanOrEqual(high);
    }
  };
  const { hello, helloAck, reject, bye, wrongGeneration } = MESSAGE_FIELDS;
  inRange({ hello, helloAck, reject, bye, wrongGeneration }, 1, 15);
  const { ping, gossip, refused, rows, preVote, proposeResp, configPull, foundCommit } =
    MESSAGE_FIELDS;
  inRange({ ping, gossip, refused }, 16, 31);
  inRange({ rows }, 32, 39);
  inRange({ preVote, proposeResp }, 40, 63);
  inRange({ configPull, foundCommit }, 64, 79);
  const { operations, shardReports, logPull, relayResp, streamOpen, streamRefused } =
    MESSAGE_FIELDS;
  inRange({ operations, shardReports }, 80, 111);
  inRange({ logPull, relayResp }, 136, 151);
  inRange({ streamOpen, streamRefused }, 152, 167);
});

test('W1: the numbers of client messages are distinct', () => {
  const numbers = Object.values(CLIENT_MESSAGE_TYPES);
  expect(new Set(numbers).size).toBe(numbers.length);
});
