import { LIMITS } from '../limits.ts';
import { textBytesOf, unitsOf, writeBytesHead, writeCount, writeText } from '../wire/in-place.ts';
import { bytesHeaderBytes, numberBytes } from '../wire/msgpack.ts';
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
