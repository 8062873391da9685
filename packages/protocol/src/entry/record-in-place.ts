import { LIMITS } from '../limits.ts';
import {
  bytesLengthAt,
  countAt,
  textBytesOf,
  textHeadBytes,
  textLengthAt,
  unitsOf,
  writeBytesHead,
  writeCount,
  writeText,
} from '../wire/in-place.ts';
import { bytesHeaderBytes, numberBytes } from '../wire/msgpack.ts';
import { readAscii } from '../wire/platform-text.ts';
import type { RecordBody } from './entry.ts';
import { type NewWrite, planState, type SoleWrite, writeState } from './state-in-place.ts';

const LIST_2 = 0x92;
/** Of the variant's number and its seven fields. */
const LIST_8 = 0x98;
const WRITE = 1;
const FALSE = 0xc2;
const TRUE = 0xc3;
const NIL = 0xc0;

const BYTE_ORDER_MARK = '\ufeff';

type WriteRecord = RecordBody & { readonly kind: 'write' };

/** What a record says of a write besides what it leaves. */
export type RecordFrame = Pick<
  WriteRecord,
  'key' | 'operationId' | 'answeredEarly' | 'fingerprint'
>;

/** The record of a write whose new entry is still to be written into it. */
export interface RecordDraft {
  /** Bytes of `recordBodyField`. */
  readonly record: Uint8Array;
  /** Where the state is among them. */
  readonly stateAt: number;
  readonly stateEnd: number;
  /** Where the `entryBytes` of the entry belong. */
  readonly entryAt: number;
}

/**
 * The record of a write that replaces all that was there, with its state in it: the bytes of the
 * entry, of the state and of the record are one piece of memory. See `draftState`.
 *
 * @returns undefined for anything out of the ordinary: then `recordBodyField` decides.
 */
export function draftRecord(
  before: SoleWrite | undefined,
  write: NewWrite,
  { key, operationId, answeredEarly, fingerprint }: RecordFrame,
): RecordDraft | undefined {
  const plan = planState(before, write);
  if (plan === undefined || !isUsualId(operationId) || fingerprint >>> 0 !== fingerprint) {
    return undefined;
  }
  const name = unitsOf(key);
  if (name.length > KEY_BYTES_MAX || key.startsWith(BYTE_ORDER_MARK)) return undefined;
  const { ms, counter } = write.timestamp;
  const stateAt = 2 + textBytesOf(name) + bytesHeaderBytes(plan.bytes);
  const stateEnd = stateAt + plan.bytes;
  const timeBytes = 1 + numberBytes(ms) + numberBytes(counter);
  const tailBytes = textBytesOf(operationId) + timeBytes + 1 + numberBytes(fingerprint) + 1;
  const record = new Uint8Array(stateEnd + tailBytes);
  record[0] = LIST_8;
  record[1] = WRITE;
  writeBytesHead(record, writeText(record, 2, name), plan.bytes);
  writeState(record, stateAt, plan);
  let at = writeText(record, stateEnd, operationId);
  record[at] = LIST_2;
  at = writeCount(record, writeCount(record, at + 1, ms), counter);
  record[at] = answeredEarly ? TRUE : FALSE;
  at = writeCount(record, at + 1, fingerprint);
  record[at] = NIL;
  return { record, stateAt, stateEnd, entryAt: stateAt + plan.headBytes };
}

const KEY_BYTES_MAX = LIMITS.namespaceBytesMax + 1 + LIMITS.entryIdBytesMax;

/** Printable ASCII, as every UUID is, or nothing. */
function isUsualId(id: string): boolean {
  if (id.length > LIMITS.operationIdBytesMax) return false;
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e) return false;
  }
  return true;
}

/**
 * The record of one write, read where it lies: its state is a view of `record`.
 *
 * Undefined for any other record, and for what an encoder of this version does not write: the bytes
 * that it accepts are exactly those that `recordBodyField` makes of what it reads.
 */
export function writeRecordIn(record: Uint8Array): WriteRecord | undefined {
  if (record[0] !== LIST_8 || record[1] !== WRITE) return undefined;
  const keyAt = 2 + textHeadBytes(record, 2);
  if (keyAt < 3) return undefined;
  const keyEnd = keyAt + textLengthAt(record, 2, keyAt - 2);
  if (keyEnd - keyAt > KEY_BYTES_MAX || !isUsualKey(record, keyAt, keyEnd)) return undefined;
  const stateBytes = bytesLengthAt(record, keyEnd);
  if (stateBytes < 1 || stateBytes > LIMITS.entryStateBytesMax) return undefined;
  const stateAt = keyEnd + bytesHeaderBytes(stateBytes);
  const stateEnd = stateAt + stateBytes;
  const id = idAt(record, stateEnd);
  if (id === undefined) return undefined;
  const timeAt = stateEnd + textBytesOf(id);
  if (record[timeAt] !== LIST_2) return undefined;
  const ms = countAt(record, timeAt + 1);
  if (ms < 0 || ms > MS_MAX) return undefined;
  const counterAt = timeAt + 1 + numberBytes(ms);
  const counter = countAt(record, counterAt);
  if (counter < 0 || counter > TICK_MAX) return undefined;
  const earlyAt = counterAt + numberBytes(counter);
  const early = record[earlyAt];
  if (early !== TRUE && early !== FALSE) return undefined;
  const fingerprint = countAt(record, earlyAt + 1);
  if (fingerprint < 0 || fingerprint > 0xffffffff) return undefined;
  const end = earlyAt + 1 + numberBytes(fingerprint);
  if (record[end] !== NIL || end + 1 !== record.length) return undefined;
  return {
    kind: 'write',
    key: readAscii(record, keyAt, keyEnd),
    state: record.subarray(stateAt, stateEnd),
    operationId: id,
    timestamp: { ms, counter },
    answeredEarly: early === TRUE,
    fingerprint,
    version: undefined,
  };
}

const MS_MAX = 2 ** 48 - 1;
const TICK_MAX = 0xffff;

/** All ASCII. */
function isUsualKey(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!((bytes[at] as number) < 0x80)) return false;
  return true;
}

/** The id of an operation; undefined for one that is not printable ASCII or too long. */
function idAt(bytes: Uint8Array, at: number): string | undefined {
  const headBytes = textHeadBytes(bytes, at);
  if (headBytes < 0) return undefined;
  const length = textLengthAt(bytes, at, headBytes);
  const start = at + headBytes;
  if (length > LIMITS.operationIdBytesMax || start + length > bytes.length) return undefined;
  for (let i = start; i < start + length; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x20 || byte > 0x7e) return undefined;
  }
  return readAscii(bytes, start, start + length);
}
