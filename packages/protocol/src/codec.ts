import type { Envelope } from './envelope.ts';
import type { FrameWriter } from './frame-writer.ts';
import { LIMITS } from './limits.ts';
import { HANDSHAKE_TYPE_MAX, MESSAGE_TYPES } from './message-numbers.ts';
import type { ControlCommand, FoundingPlan, MemberRecord } from './messages/control.ts';
import {
  controlCommandField,
  controlFields,
  foundingPlanField,
  memberRecordField,
} from './messages/control.ts';
import type { GroupConfig, LogEntry } from './messages/election.ts';
import { electionFields, groupConfigField, logEntryField } from './messages/election.ts';
import { handshakeFields } from './messages/handshake.ts';
import { membershipFields } from './messages/membership.ts';
import type { Message } from './messages/message.ts';
import type { MessageFields } from './messages/message-fields.ts';
import { MessageTable } from './messages/message-table.ts';
import { operationFields } from './messages/operations.ts';
import { reachabilityFields } from './messages/reachability.ts';
import { replicationFields } from './messages/replication.ts';
import { PROTOCOL } from './version.ts';
import { countField, generationField, protocolVersionField } from './wire/counters.ts';
import { lendDirectly, NOT_READ, readDirectly, writeDirectly } from './wire/direct.ts';
import { type Field, uint, within } from './wire/field.ts';
import { nodeIdField } from './wire/id-field.ts';
import { pack, unpack, type WireValue } from './wire/msgpack.ts';
import { struct, type StructField } from './wire/struct.ts';
import { timestampField } from './wire/timestamp-field.ts';
import { expected, inside, WireError } from './wire/wire-error.ts';
import { UNREAD } from './wire/wire-reader.ts';

/** How each message travels inside its envelope. */
export const MESSAGE_FIELDS: MessageFields<Message> = {
  ...handshakeFields,
  ...membershipFields,
  ...reachabilityFields,
  ...electionFields,
  ...controlFields,
  ...operationFields,
  ...replicationFields,
};

interface EnvelopeHeader extends Omit<Envelope, 'message'> {
  readonly type: number;
}

/** Everything around a message. The message follows as the last element. */
export const envelopeHeaderField: StructField<EnvelopeHeader> = struct<EnvelopeHeader>({
  version: protocolVersionField,
  type: uint(0xffff),
  flags: uint(0xffffffff),
  cluster32: uint(0xffffffff),
  source: nodeIdField,
  sourceGeneration: generationField,
  targetGeneration: generationField,
  sequence: countField,
  timestamp: timestampField,
  controlIndex: countField,
});

const BODY_AT = 10;

const messages = new MessageTable<Message>(MESSAGE_TYPES, MESSAGE_FIELDS);

/** What arrived: a message, a message of a later version, or nothing that can be used. */
export type DecodedEnvelope =
  | { readonly kind: 'message'; readonly envelope: Envelope }
  | { readonly kind: 'unknownType'; readonly messageType: number }
  | { readonly kind: 'invalid'; readonly problem: string };

/**
 * @throws WireError when a value breaks a limit: a mistake of the sender, found before it can
 * become a problem of the receiver.
 */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return writeDirectly(envelopeField, envelope) ?? encodeByValues(envelope);
}

/**
 * The same into a frame, without memory of its own.
 *
 * @throws WireError as well when the message is larger than a frame.
 */
export function addEnvelope(frames: FrameWriter, envelope: Envelope): void {
  const lent = lendDirectly(envelopeField, envelope, (bytes) => frames.add(bytes));
  if (!lent) frames.add(encodeByValues(envelope));
}

function encodeByValues(envelope: Envelope): Uint8Array {
  const { message } = envelope;
  const raw = headerToWire({ ...envelope, type: messages.numberOf(message) });
  raw.push(messages.bodyToWire(message));
  return pack(raw);
}

const envelopeField: Pick<Field<Envelope>, 'write' | 'read'> = {
  write: (envelope, to) => {
    const { message } = envelope;
    to.list(BODY_AT + 1);
    envelopeHeaderField.writeElements({ ...envelope, type: messages.numberOf(message) }, to);
    messages.writeBody(message, to);
  },
  read: (from) => {
    if (from.list() !== BODY_AT + 1) throw UNREAD;
    const { type: messageType, ...header } = envelopeHeaderField.readElements(from, BODY_AT);
    const type = messages.typeOf(messageType);
    if (type === undefined || !isSpoken(header.version, messageType)) throw UNREAD;
    return { ...header, message: messages.readBody(type, from) };
  },
};

/** The handshake is readable in every version, because that is where versions are compared. */
function isSpoken(version: number, messageType: number): boolean {
  if (messageType <= HANDSHAKE_TYPE_MAX) return true;
  return version >= PROTOCOL.min && version <= PROTOCOL.max;
}

function headerToWire(header: EnvelopeHeader): WireValue[] {
  try {
    return envelopeHeaderField.toWire(header) as WireValue[];
  } catch (error) {
    throw inside(error, 'envelope');
  }
}

/** Never throws, whatever the bytes: a peer's mistake is an answer, not an exception. */
export function decodeEnvelope(bytes: Uint8Array): DecodedEnvelope {
  try {
    const envelope =
      bytes.length > LIMITS.bulkFrameBytesMax ? NOT_READ : readDirectly(envelopeField, bytes);
    return envelope === NOT_READ ? decode(bytes) : { kind: 'message', envelope };
  } catch (error) {
    if (error instanceof WireError) return { kind: 'invalid', problem: error.message };
    throw error;
  }
}

function decode(bytes: Uint8Array): DecodedEnvelope {
  const raw = unpack(bytes, LIMITS.bulkFrameBytesMax);
  if (!Array.isArray(raw) || raw.length <= BODY_AT) {
    throw expected(`a list of at least ${BODY_AT + 1}`, raw).inside('envelope');
  }
  const { type: messageType, ...header } = headerFromWire(raw);
  const type = messages.typeOf(messageType);
  if (type === undefined) return { kind: 'unknownType', messageType };
  const { version } = header;
  if (!isSpoken(version, messageType)) {
    const spoken = `a protocol version from ${PROTOCOL.min} to ${PROTOCOL.max}`;
    throw expected(spoken, version).inside('envelope.version');
  }
  return {
    kind: 'message',
    envelope: { ...header, message: messages.bodyFromWire(type, raw[BODY_AT]) },
  };
}

function headerFromWire(raw: WireValue): EnvelopeHeader {
  try {
    return envelopeHeaderField.fromWire(raw);
  } catch (error) {
    throw inside(error, 'envelope');
  }
}

/**
 * One value by itself, for what a node stores.
 *
 * @throws WireError when the value breaks a limit of its field.
 */
export function encodeValue<T>(field: Field<T>, value: T): Uint8Array {
  return writeDirectly(field, value) ?? pack(field.toWire(value));
}

/**
 * @param name begins the path in the error's message, for instance `hardState`.
 * @throws WireError unless `bytes` are exactly one valid value.
 */
export function decodeValue<T>(field: Field<T>, bytes: Uint8Array, name = 'value'): T {
  try {
    if (bytes instanceof Uint8Array && bytes.length <= LIMITS.snapshotBytesMax) {
      const value = readDirectly(field, bytes);
      if (value !== NOT_READ) return value;
    }
    return field.fromWire(unpack(bytes, LIMITS.snapshotBytesMax));
  } catch (error) {
    throw inside(error, name);
  }
}

const boundedCommandField = within(controlCommandField, LIMITS.commandBytesMax);

export function encodeCommand(command: ControlCommand): Uint8Array {
  return encodeValue(boundedCommandField, command);
}

/** @throws WireError, also for a kind of command that this version does not know. */
export function decodeCommand(bytes: Uint8Array): ControlCommand {
  return decodeValue(boundedCommandField, bytes, 'command');
}

export function encodeLogEntry(entry: LogEntry): Uint8Array {
  return encodeValue(logEntryField, entry);
}

/** @throws WireError */
export function decodeLogEntry(bytes: Uint8Array): LogEntry {
  return decodeValue(logEntryField, bytes, 'logEntry');
}

export function encodeGroupConfig(config: GroupConfig): Uint8Array {
  return encodeValue(groupConfigField, config);
}

/** @throws WireError */
export function decodeGroupConfig(bytes: Uint8Array): GroupConfig {
  return decodeValue(groupConfigField, bytes, 'groupConfig');
}

export function encodeFoundingPlan(plan: FoundingPlan): Uint8Array {
  return encodeValue(foundingPlanField, plan);
}

/** @throws WireError */
export function decodeFoundingPlan(bytes: Uint8Array): FoundingPlan {
  return decodeValue(foundingPlanField, bytes, 'foundingPlan');
}

export function encodeMemberRecord(member: MemberRecord): Uint8Array {
  return encodeValue(memberRecordField, member);
}

/** @throws WireError */
export function decodeMemberRecord(bytes: Uint8Array): MemberRecord {
  return decodeValue(memberRecordField, bytes, 'memberRecord');
}
