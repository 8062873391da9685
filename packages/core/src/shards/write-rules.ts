import {
  compareDots,
  decodeValue,
  draftRecord,
  draftState,
  encodeValue,
  entryBodyField,
  entryStateField,
  failedResult,
  formatVersion,
  LIMITS,
  NEVER_WRITTEN,
  soleWriteIn,
  WireError,
  usualEntryIn,
  writeSetBlind,
  type Condition,
  type Dot,
  type EntryState,
  type ErrorCode,
  type ErrorDetails,
  type FailedResult,
  type OperationBody,
  type SoleWrite,
  type StoredWrite,
  type Timestamp,
  type NewWrite,
  type RecordFrame,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import { EntryBytes } from '../entries/entry-bytes.ts';
import { decodeState, shownOf, type StoredSibling, versionOf, winnerOf } from './entry-view.ts';
import type { EntryRules } from './shards-io.ts';

export type WriteBody = Extract<OperationBody, { readonly condition: Condition }>;

export function isWrite(body: OperationBody): body is WriteBody {
  return body.kind === 'put' || body.kind === 'update' || body.kind === 'delete';
}

/** What a write makes of the stored state. */
export type WriteOutcome =
  | {
      readonly kind: 'state';
      /** Bytes of `entryStateField`. */
      readonly state: Uint8Array;
      /** Bytes of `recordBodyField`, where the record could be written at once: `state` is in them. */
      readonly record: Uint8Array | undefined;
      /** The write itself, with a view of its entry: it has replaced all that was there. */
      readonly winner: StoredSibling;
      /** There was an entry before. */
      readonly existed: boolean;
    }
  /** Certainly not applied. True only if nobody has written meanwhile: to be confirmed. */
  | { readonly kind: 'refused'; readonly result: FailedResult }
  /** Wrong whatever is stored. */
  | { readonly kind: 'invalid'; readonly result: FailedResult };

export interface WriteInputs {
  readonly dot: Dot;
  readonly timestamp: Timestamp;
  /** Made by an island, without the primary. */
  readonly autonomous: boolean;
  /** The bytes of a new entry are certainly one. */
  readonly admitted: boolean;
  readonly rules: EntryRules;
  /** What a patch speaks of; undefined for the committed version. */
  readonly schemaVersion: number | undefined;
  /** What the record of the write says besides; undefined where its bytes are not wanted. */
  readonly frame?: RecordFrame | undefined;
}

/**
 * Carries out one write on the state of its key. Decides nothing that is not in its arguments.
 *
 * @param stored bytes of `entryStateField`, or what was made of several; undefined for nothing.
 */
export function carryOut(
  body: WriteBody,
  stored: Uint8Array | EntryState | undefined,
  inputs: WriteInputs,
): WriteOutcome {
  const before = beforeOf(stored);
  const winner = before.kind === 'set' ? winnerOf(before.set) : before.sole?.sibling;
  const visible = shownOf(winner, inputs.timestamp.ms);
  const refusal = refusalOf(body, visible);
  if (refusal !== undefined) return { kind: 'refused', result: refusal };
  const made = entryOf(body, visible, inputs);
  if (made.kind !== 'entry') return made;
  return stateAfter(before, made, { body, inputs, existed: visible !== undefined });
}

/** What a key holds before a write: nearly always nothing, or one write that is read in place. */
type Before =
  | { readonly kind: 'sole'; readonly sole: SoleWrite | undefined }
  | { readonly kind: 'set'; readonly set: EntryState };

const NOTHING_BEFORE: Before = { kind: 'sole', sole: undefined };

function beforeOf(stored: Uint8Array | EntryState | undefined): Before {
  if (stored === undefined) return NOTHING_BEFORE;
  if (!(stored instanceof Uint8Array)) return { kind: 'set', set: stored };
  const sole = soleWriteIn(stored);
  return sole === undefined ? { kind: 'set', set: decodeState(stored) } : { kind: 'sole', sole };
}

interface WriteFacts {
  readonly body: WriteBody;
  readonly inputs: WriteInputs;
  readonly existed: boolean;
}

/** The new entry goes straight to its place in the new state and its record, with its dates. */
function stateAfter(
  before: Before,
  made: Extract<MadeEntry, { kind: 'entry' }>,
  { body, inputs, existed }: WriteFacts,
): WriteOutcome {
  const { entry, entryBytes, dates, expiresAt } = made;
  const { dot, timestamp, autonomous } = inputs;
  const { kind } = body;
  const write: NewWrite = { kind, dot, timestamp, expiresAt, autonomous, entryBytes };
  const draft = drafted(before, write, inputs.frame);
  const { bytes, entryAt, record } = draft;
  entry?.stampInto(bytes, entryAt, dates);
  const stored = bytes.subarray(entryAt, entryAt + entryBytes);
  const value: StoredWrite = { kind, timestamp, expiresAt, autonomous, entry: stored };
  const winner = { dot, value };
  const state = draft.state ?? encodedAfter(before, winner);
  return { kind: 'state', state, record, winner, existed };
}

interface Draft {
  /** In which there is room for the entry. */
  readonly bytes: Uint8Array;
  readonly entryAt: number;
  /** Undefined where the entry must be encoded with what is around it. */
  readonly state: Uint8Array | undefined;
  readonly record: Uint8Array | undefined;
}

function drafted(before: Before, write: NewWrite, frame: RecordFrame | undefined): Draft {
  if (before.kind === 'sole') {
    const framed = frame === undefined ? undefined : draftRecord(before.sole, write, frame);
    if (framed !== undefined) {
      const { record, stateAt, stateEnd, entryAt } = framed;
      return { bytes: record, entryAt, state: record.subarray(stateAt, stateEnd), record };
    }
    const alone = draftState(before.sole, write);
    if (alone !== undefined) {
      const { state, entryAt } = alone;
      return { bytes: state, entryAt, state, record: undefined };
    }
  }
  const bytes = new Uint8Array(write.entryBytes);
  return { bytes, entryAt: 0, state: undefined, record: undefined };
}

function encodedAfter(before: Before, winner: StoredSibling): Uint8Array {
  const set = before.kind === 'set' ? before.set : soleSet(before.sole);
  return encodeValue(entryStateField, writeSetBlind(set, winner));
}

function soleSet(sole: SoleWrite | undefined): EntryState {
  return sole === undefined ? NEVER_WRITTEN : decodeState(sole.state);
}

function refusalOf(body: WriteBody, visible: StoredSibling | undefined): FailedResult | undefined {
  if (!holds(body.condition, visible)) {
    const current = visible === undefined ? undefined : versionOf(visible);
    const shown = current === undefined ? undefined : formatVersion(current);
    return failedResult('VERSION_CONFLICT', { current: shown }, { current });
  }
  if (body.kind === 'update' && visible === undefined) {
    return failedResult('NOT_FOUND', { id: body.key });
  }
  return undefined;
}

function holds(condition: Condition, visible: StoredSibling | undefined): boolean {
  switch (condition.kind) {
    case 'always':
      return true;
    case 'absent':
      return visible === undefined || broken('shards.cas-compares');
    case 'present':
      return visible !== undefined;
    case 'version':
      if (visible === undefined) return false;
      if (broken('shards.cas-compares')) return true;
      // Of concurrent values too: who was shown the winner could never name anything else, and what
      // lost to it is replaced like it.
      return compareDots(visible.dot, condition.dot) === 0;
  }
}

/** The entry's dates are the primary's: when it was made, and now. */
interface EntryDates {
  readonly createdAt: number;
  readonly updatedAt: number;
}

type MadeEntry =
  | {
      readonly kind: 'entry';
      /** Undefined for a delete. */
      readonly entry: EntryBytes | undefined;
      /** How long it is with its dates. */
      readonly entryBytes: number;
      readonly dates: EntryDates;
      readonly expiresAt: number;
    }
  | Exclude<WriteOutcome, { kind: 'state' }>;

const DELETED: MadeEntry = {
  kind: 'entry',
  entry: undefined,
  entryBytes: 0,
  dates: { createdAt: 0, updatedAt: 0 },
  expiresAt: 0,
};

function entryOf(
  body: WriteBody,
  visible: StoredSibling | undefined,
  inputs: WriteInputs,
): MadeEntry {
  if (body.kind === 'delete') return DELETED;
  const stored = visible === undefined ? undefined : new EntryBytes(visible.value.entry);
  if (stored?.immutable === true) return refused('IMMUTABLE_ENTRY', { id: body.key });
  const updatedAt = inputs.timestamp.ms;
  const dates = { createdAt: stored?.createdAt ?? updatedAt, updatedAt };
  if (body.kind === 'put') {
    const offered = inputs.admitted ? new EntryBytes(body.entry) : checkedEntry(body.entry);
    if (!(offered instanceof EntryBytes)) return offered;
    if (stored?.hasScopeOf(offered) === false) return refused('SCOPE_CONFLICT', { id: body.key });
    return dated(offered, dates);
  }
  if (visible === undefined) return refused('NOT_FOUND', { id: body.key });
  const { rules, schemaVersion, timestamp } = inputs;
  const patched = rules.patched(visible.value.entry, body.patch, timestamp.ms, schemaVersion);
  if (patched.kind === 'problems') {
    return invalid('INVALID_ENTRY', { problems: patched.problems });
  }
  return dated(new EntryBytes(patched.entry), dates);
}

function refused<Code extends ErrorCode>(code: Code, details: ErrorDetails[Code]): MadeEntry {
  return { kind: 'refused', result: failedResult(code, details) };
}

function invalid<Code extends ErrorCode>(
  code: Code,
  details: ErrorDetails[Code],
): Extract<MadeEntry, { kind: 'invalid' }> {
  return { kind: 'invalid', result: failedResult(code, details) };
}

function dated(entry: EntryBytes, dates: EntryDates): MadeEntry {
  const entryBytes = entry.stampedBytes(dates.createdAt, dates.updatedAt);
  if (entryBytes > LIMITS.entryBytesMax) {
    return invalid('ENTRY_TOO_LARGE', { bytes: entryBytes, max: LIMITS.entryBytesMax });
  }
  return { kind: 'entry', entry, entryBytes, dates, expiresAt: entry.expiresAt };
}

/** What another node has sent is looked at once more; encoded anew, it is as if made here. */
function checkedEntry(bytes: Uint8Array): EntryBytes | Extract<MadeEntry, { kind: 'invalid' }> {
  if (usualEntryIn(bytes) !== undefined) return new EntryBytes(bytes);
  try {
    const body = decodeValue(entryBodyField, bytes, 'entry');
    return new EntryBytes(encodeValue(entryBodyField, body));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return invalid('INVALID_ENTRY', { problems: [error.message] });
  }
}
