import type {
  Condition,
  Dot,
  EntryState,
  ErrorCode,
  ErrorDetails,
  FailedResult,
  OperationBody,
  StoredWrite,
  Timestamp,
} from '@memgrid/protocol';
import {
  compareDots,
  decodeValue,
  encodeValue,
  entryBodyField,
  failedResult,
  formatVersion,
  LIMITS,
  NEVER_WRITTEN,
  WireError,
  writeSetBlind,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import { EntryBytes } from '../entries/entry-bytes.ts';
import { type StoredSibling, versionOf, visibleOf } from './entry-view.ts';
import type { EntryRules } from './shards-io.ts';

export type WriteBody = Extract<OperationBody, { readonly condition: Condition }>;

export function isWrite(body: OperationBody): body is WriteBody {
  return body.kind === 'put' || body.kind === 'update' || body.kind === 'delete';
}

/** What a write makes of the stored state. */
export type WriteOutcome =
  | {
      readonly kind: 'state';
      readonly state: EntryState;
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
}

/** Carries out one write on the state of its key. Decides nothing that is not in its arguments. */
export function carryOut(
  body: WriteBody,
  stored: EntryState | undefined,
  inputs: WriteInputs,
): WriteOutcome {
  const state: EntryState = stored ?? NEVER_WRITTEN;
  const visible = visibleOf(state, inputs.timestamp.ms);
  const refusal = refusalOf(body, visible);
  if (refusal !== undefined) return { kind: 'refused', result: refusal };
  const made = entryOf(body, visible, inputs);
  if (made.kind !== 'entry') return made;
  const value: StoredWrite = {
    kind: body.kind,
    timestamp: inputs.timestamp,
    expiresAt: made.expiresAt,
    autonomous: inputs.autonomous,
    entry: made.entry,
  };
  const existed = visible !== undefined;
  return { kind: 'state', state: writeSetBlind(state, { dot: inputs.dot, value }), existed };
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

type MadeEntry =
  | { readonly kind: 'entry'; readonly entry: Uint8Array; readonly expiresAt: number }
  | Exclude<WriteOutcome, { kind: 'state' }>;

const NOTHING = new Uint8Array();

function entryOf(
  body: WriteBody,
  visible: StoredSibling | undefined,
  inputs: WriteInputs,
): MadeEntry {
  if (body.kind === 'delete') return { kind: 'entry', entry: NOTHING, expiresAt: 0 };
  const stored = visible === undefined ? undefined : new EntryBytes(visible.value.entry);
  if (stored?.immutable === true) return refused('IMMUTABLE_ENTRY', { id: body.key });
  const nowMs = inputs.timestamp.ms;
  if (body.kind === 'put') {
    const offered = inputs.admitted ? new EntryBytes(body.entry) : checkedEntry(body.entry);
    if (!(offered instanceof EntryBytes)) return offered;
    if (stored?.hasScopeOf(offered) === false) return refused('SCOPE_CONFLICT', { id: body.key });
    return stamped(offered, { createdAt: stored?.createdAt ?? nowMs, nowMs });
  }
  if (visible === undefined) return refused('NOT_FOUND', { id: body.key });
  const { rules, schemaVersion, timestamp } = inputs;
  const patched = rules.patched(visible.value.entry, body.patch, timestamp.ms, schemaVersion);
  if (patched.kind === 'problems') {
    return invalid('INVALID_ENTRY', { problems: patched.problems });
  }
  return stamped(new EntryBytes(patched.entry), { createdAt: stored?.createdAt ?? nowMs, nowMs });
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

/** The entry's dates are the primary's: when it was made, and now. */
function stamped(
  offered: EntryBytes,
  { createdAt, nowMs }: { readonly createdAt: number; readonly nowMs: number },
): MadeEntry {
  const entry = offered.stamped(createdAt, nowMs);
  if (entry.byteLength > LIMITS.entryBytesMax) {
    return invalid('ENTRY_TOO_LARGE', { bytes: entry.byteLength, max: LIMITS.entryBytesMax });
  }
  return { kind: 'entry', entry, expiresAt: offered.expiresAt };
}

/** What another node has sent is looked at once more; encoded anew, it is as if made here. */
function checkedEntry(bytes: Uint8Array): EntryBytes | Extract<MadeEntry, { kind: 'invalid' }> {
  try {
    const body = decodeValue(entryBodyField, bytes, 'entry');
    return new EntryBytes(encodeValue(entryBodyField, body));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return invalid('INVALID_ENTRY', { problems: [error.message] });
  }
}
