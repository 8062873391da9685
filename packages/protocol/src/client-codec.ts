import type { FrameWriter } from './frame-writer.ts';
import { LIMITS } from './limits.ts';
import { type ClientMessage, clientFields } from './messages/client.ts';
import { MessageTable } from './messages/message-table.ts';
import { lendDirectly, NOT_READ, readDirectly, writeDirectly } from './wire/direct.ts';
import type { Field } from './wire/field.ts';
import { pack, unpack, type WireValue } from './wire/msgpack.ts';
import { expected, WireError } from './wire/wire-error.ts';
import { UNREAD } from './wire/wire-reader.ts';

export type ClientMessageType = ClientMessage['type'];

/**
 * The number of each message between a client and a node. They have nothing to do with those
 * between nodes, and like those they are never changed and never used again.
 *
 * Ranges: 1-15 the conversation itself, readable by every version for ever; 16-31 placement;
 * 32-47 operations; 48-63 feeds.
 */
export const CLIENT_MESSAGE_TYPES = {
  clientHello: 1,
  clientWelcome: 2,
  clientRefused: 3,
  clientPing: 4,
  clientPong: 5,
  clientBye: 6,

  placement: 16,

  operations: 32,
  answers: 33,

  feedOpen: 48,
  feedClose: 49,
  feedChanges: 50,
  feedGap: 51,
  feedCredit: 52,
} as const satisfies Record<ClientMessageType, number>;

const messages = new MessageTable<ClientMessage>(CLIENT_MESSAGE_TYPES, clientFields);

const messageField: Pick<Field<ClientMessage>, 'write' | 'read'> = {
  write: (message, to) => {
    to.list(2);
    to.number(messages.numberOf(message));
    messages.writeBody(message, to);
  },
  read: (from) => {
    if (from.list() !== 2) throw UNREAD;
    const type = messages.typeOf(from.number());
    if (type === undefined) throw UNREAD;
    return messages.readBody(type, from);
  },
};

/** What arrived: a message, a message of a later version, or nothing that can be used. */
export type DecodedClientMessage =
  | { readonly kind: 'message'; readonly message: ClientMessage }
  /** Count it and go on: a later version said something that this one may ignore. */
  | { readonly kind: 'unknownType'; readonly messageType: number }
  | { readonly kind: 'invalid'; readonly problem: string };

/**
 * `[type, body]`. There is no envelope: a client has no id, no clock and no control index that a
 * node would want to know.
 *
 * @throws WireError when a value breaks a limit, or all of it is larger than `operationsBytesMax`.
 */
export function encodeClientMessage(message: ClientMessage): Uint8Array {
  const bytes = writeDirectly(messageField, message) ?? encodeByValues(message);
  checkSize(message, bytes);
  return bytes;
}

/**
 * The same into a frame, without memory of its own.
 *
 * @throws WireError as well when the message is larger than a frame.
 */
export function addClientMessage(frames: FrameWriter, message: ClientMessage): void {
  const lent = lendDirectly(messageField, message, (bytes) => {
    checkSize(message, bytes);
    frames.add(bytes);
  });
  if (!lent) frames.add(encodeClientMessage(message));
}

function encodeByValues(message: ClientMessage): Uint8Array {
  return pack([messages.numberOf(message), messages.bodyToWire(message)]);
}

function checkSize(message: ClientMessage, bytes: Uint8Array): void {
  if (bytes.length <= LIMITS.operationsBytesMax) return;
  throw expected(`at most ${LIMITS.operationsBytesMax} bytes`, bytes).inside(message.type);
}

/** Never throws, whatever the bytes. */
export function decodeClientMessage(bytes: Uint8Array): DecodedClientMessage {
  try {
    if (bytes.length > LIMITS.operationsBytesMax) return decode(bytes);
    const message = readDirectly(messageField, bytes);
    return message === NOT_READ ? decode(bytes) : { kind: 'message', message };
  } catch (error) {
    if (error instanceof WireError) return { kind: 'invalid', problem: error.message };
    throw error;
  }
}

function decode(bytes: Uint8Array): DecodedClientMessage {
  const raw = unpack(bytes, LIMITS.operationsBytesMax);
  if (!Array.isArray(raw) || raw.length < 2) {
    throw expected('a list of at least 2', raw).inside('message');
  }
  const [messageType, body] = raw as readonly WireValue[];
  if (typeof messageType !== 'number' || !Number.isInteger(messageType) || messageType < 0) {
    throw expected('a whole number', messageType).inside('message.type');
  }
  const type = messages.typeOf(messageType);
  if (type === undefined) return { kind: 'unknownType', messageType };
  return { kind: 'message', message: messages.bodyFromWire(type, body) };
}
