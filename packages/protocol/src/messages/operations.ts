import { type Dot, dotField } from '../causality/version-vector.ts';
import type { Timestamp } from '../envelope.ts';
import { type Applied, ERROR_CODES, type ErrorCode, errorCodeOf } from '../error-codes.ts';
import { ERROR_DETAIL_FIELDS } from '../error-detail-fields.ts';
import type { NodeId, ShardId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { countField, shardIdField } from '../wire/counters.ts';
import {
  bool,
  bytes,
  choice,
  type Field,
  integer,
  list,
  measured,
  optional,
  passingBytes,
  sentence,
} from '../wire/field.ts';
import { nodeIdField } from '../wire/id-field.ts';
import { pack, type WireValue } from '../wire/msgpack.ts';
import { name } from '../wire/name-field.ts';
import { type Extensible, extensible, extensibleUnion, struct, union } from '../wire/struct.ts';
import { timestampField } from '../wire/timestamp-field.ts';
import { UNREAD } from '../wire/wire-reader.ts';
import { messageFields } from './message-fields.ts';
import {
  unrolledAnswer,
  unrolledBody,
  unrolledFoundEntry,
  unrolledOperation,
  unrolledPosition,
  unrolledResult,
  unrolledVersion,
} from './operations-unrolled.ts';

/** Counts the changes of one shard's owners. Starts at 1; 0 is "none yet". */
export type ShardEpoch = number;

/** A place in a shard's log. Later is a higher epoch, or the same epoch and a higher index. */
export interface ShardPosition {
  readonly epoch: ShardEpoch;
  readonly index: number;
}

/** When a write is answered: when the primary has it, or when the write quorum has. */
export type Durability = 'one' | 'quorum';

/** What "has it" means: in memory, handed to the operating system, or safe from a power cut. */
export type SyncClass = 'memory' | 'os' | 'disk';

/** Who answers a read: any replica, a majority, or the primary after asking a majority. */
export type ReadLevel = 'one' | 'quorum' | 'strong';

/** Names one state of one entry: the write that made it and when that was. */
export interface EntryVersion {
  readonly dot: Dot;
  readonly timestamp: Timestamp;
}

/** What must hold of the stored entry for a write to take place. */
export type Condition =
  | { readonly kind: 'always' }
  /** There is no such entry (never written, deleted, or expired). */
  | { readonly kind: 'absent' }
  /** The entry is there, in whatever version. */
  | { readonly kind: 'present' }
  /** The entry's only current version is this one. */
  | { readonly kind: 'version'; readonly dot: Dot };

/** Whose memory an entry is. Text without NUL; an absent part is ''. */
export interface Scope {
  readonly namespace: string;
  readonly userId: string;
  readonly agentId: string;
  readonly appId: string;
  readonly runId: string;
}

/** What one operation asks for. `key` is the entry's id; entries are bytes of `entryBodyField`. */
export type OperationBody = Extensible &
  (
    | {
        readonly kind: 'put';
        readonly namespace: string;
        readonly key: string;
        readonly entry: Uint8Array;
        readonly condition: Condition;
      }
    | {
        /** A JSON merge patch (RFC 7396) over the entry's content, category, metadata and expiry. */
        readonly kind: 'update';
        readonly namespace: string;
        readonly key: string;
        readonly patch: Uint8Array;
        readonly condition: Condition;
      }
    | {
        readonly kind: 'delete';
        readonly namespace: string;
        readonly key: string;
        readonly condition: Condition;
      }
    | { readonly kind: 'get'; readonly namespace: string; readonly key: string }
    | { readonly kind: 'history'; readonly namespace: string; readonly key: string }
    | {
        /** Entries of one shard that match the scope (an absent part matches all), in order of key. */
        readonly kind: 'list';
        readonly scope: Scope;
        /** The last key of the page before; '' begins. */
        readonly after: string;
        readonly limit: number;
        /** Only counts, and returns no entries. */
        readonly countOnly: boolean;
      }
  );

/** One operation on one shard, as it travels from a client to a node and between nodes. */
export interface Operation extends Extensible {
  /** Numbers the answer; unique on one connection in one direction. */
  readonly id: number;
  readonly shard: ShardId;
  /** Empty for reads. The same id asks for the outcome of the same write. */
  readonly operationId: string;
  readonly body: OperationBody;
  readonly read: ReadLevel;
  readonly durability: Durability;
  readonly sync: SyncClass;
  /** What is left of the caller's patience. 0 is never sent. */
  readonly timeoutMs: number;
  /** Refuse rather than answer on this side of a split only. */
  readonly noAutonomous: boolean;
  /** A read at `one` must have applied at least this much of the shard's log; 0 for anything. */
  readonly atLeast: number;
  /**
   * The version of the schema that the caller knows: entries are shown in it, and a patch speaks of
   * it. Absent for the version that is committed.
   */
  readonly schemaVersion?: number | undefined;
}

/** Where an answer came from. */
export type AnswerSource = 'primary' | 'replica' | 'quorum';

/** An entry as a list or a get returns it. */
export interface FoundEntry extends Extensible {
  readonly key: string;
  /** Bytes of `entryBodyField`. */
  readonly entry: Uint8Array;
  readonly version: EntryVersion;
}

/** One step in the life of an entry. `entry` is empty for a delete. */
export interface HistoryStep extends Extensible {
  readonly version: EntryVersion;
  readonly kind: 'put' | 'update' | 'delete';
  readonly entry: Uint8Array;
  readonly position: ShardPosition;
}

export type OperationResult = Extensible &
  (
    | {
        readonly kind: 'written';
        readonly version: EntryVersion;
        readonly acknowledged: 'quorum' | 'local';
        readonly sync: SyncClass;
        /** Accepted away from the primary: it is merged when the primary is back. */
        readonly autonomous: boolean;
        /** This operation id had been carried out before; nothing was done again. */
        readonly repeated: boolean;
        /**
         * Whether there was an entry before. Absent where nobody can say any more: the outcome of a
         * repeated operation, or a write that was taken away from the primary.
         */
        readonly existed?: boolean | undefined;
      }
    | {
        readonly kind: 'found';
        readonly found: FoundEntry;
        readonly source: AnswerSource;
        /** How far behind the primary this answer may be; 0 for quorum and strong. */
        readonly stalenessMs: number;
      }
    /** Known to be absent. */
    | { readonly kind: 'absent'; readonly source: AnswerSource; readonly stalenessMs: number }
    | {
        readonly kind: 'listed';
        readonly entries: readonly FoundEntry[];
        /** Entries that match in this shard; only when counted. */
        readonly count: number;
        /** There is more after the last key. */
        readonly more: boolean;
        readonly source: AnswerSource;
        readonly stalenessMs: number;
      }
    | {
        readonly kind: 'history';
        /** Oldest first; only what this replica still remembers. */
        readonly steps: readonly HistoryStep[];
        readonly complete: boolean;
      }
    /** `hint`: who to ask, when that is known. Made by `failedResult`, read by `errorOfResult`. */
    | {
        readonly kind: 'failed';
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint: NodeId | undefined;
        /** Overrides the table's answer where this case is known better. */
        readonly applied: Applied;
        /** The current version, when a condition did not hold and there is one. */
        readonly current: EntryVersion | undefined;
        /** Bytes of the code's `ErrorDetails`. */
        readonly details: Uint8Array;
      }
  );

export interface Answer extends Extensible {
  /** The operation's. */
  readonly id: number;
  readonly shard: ShardId;
  /** What the answer rests on: goes into the session token. Index 0 says nothing. */
  readonly position: ShardPosition;
  readonly result: OperationResult;
}

/** Operations of one turn, from a client, or forwarded by a node that is no replica. */
export interface Operations {
  readonly type: 'operations';
  readonly operations: readonly Operation[];
}

export interface Answers {
  readonly type: 'answers';
  readonly answers: readonly Answer[];
}

export const shardPositionField: Field<ShardPosition> = unrolledPosition(
  struct<ShardPosition>({ epoch: countField, index: countField }),
  countField,
);

const versionParts = { dot: dotField, timestamp: timestampField };
export const entryVersionField: Field<EntryVersion> = unrolledVersion({
  general: struct<EntryVersion>(versionParts),
  ...versionParts,
});

export const syncClassField: Field<SyncClass> = choice<SyncClass>({ memory: 1, os: 2, disk: 3 });

const durabilityField = choice<Durability>({ one: 1, quorum: 2 });
const readLevelField = choice<ReadLevel>({ one: 1, quorum: 2, strong: 3 });
const answerSourceField = choice<AnswerSource>({ primary: 1, replica: 2, quorum: 3 });

export const namespaceField: Field<string> = name(1, LIMITS.namespaceBytesMax);
export const entryIdField: Field<string> = name(1, LIMITS.entryIdBytesMax);
export const scopePartField: Field<string> = name(0, LIMITS.scopePartBytesMax);
export const operationIdField: Field<string> = name(0, LIMITS.operationIdBytesMax);

export const scopeField: Field<Scope> = struct<Scope>({
  namespace: namespaceField,
  userId: scopePartField,
  agentId: scopePartField,
  appId: scopePartField,
  runId: scopePartField,
});

/**
 * What a write carries is encoded again at once, into a record of the log; what was found is shown, or
 * copied into a cache.
 */
const passingEntryBytes = passingBytes(1, LIMITS.entryBytesMax);
const maybeEntryBytes = bytes(0, LIMITS.entryBytesMax);

const conditionField = union<Condition>({
  always: { number: 1, fields: {} },
  absent: { number: 2, fields: {} },
  present: { number: 3, fields: {} },
  version: { number: 4, fields: { dot: dotField } },
});

const address = { namespace: namespaceField, key: entryIdField };

const operationBodies = extensibleUnion<OperationBody>({
  put: { number: 1, fields: { ...address, entry: passingEntryBytes, condition: conditionField } },
  update: {
    number: 2,
    fields: { ...address, patch: passingEntryBytes, condition: conditionField },
  },
  delete: { number: 3, fields: { ...address, condition: conditionField } },
  get: { number: 4, fields: address },
  history: { number: 5, fields: address },
  list: {
    number: 6,
    fields: {
      scope: scopeField,
      after: name(0, LIMITS.entryIdBytesMax),
      limit: integer(0, LIMITS.listEntriesMax),
      countOnly: bool,
    },
  },
});

const operationBodyField = unrolledBody({
  general: operationBodies,
  namespace: namespaceField,
  key: entryIdField,
  entry: passingEntryBytes,
  condition: conditionField,
});

const timeoutField = measured(1, Number.MAX_SAFE_INTEGER);
const schemaVersionField = optional(countField);

const operations = extensible<Operation>({
  id: countField,
  shard: shardIdField,
  operationId: operationIdField,
  body: operationBodyField,
  read: readLevelField,
  durability: durabilityField,
  sync: syncClassField,
  timeoutMs: timeoutField,
  noAutonomous: bool,
  atLeast: countField,
  schemaVersion: schemaVersionField,
});

export const operationField: Field<Operation> = unrolledOperation({
  general: operations,
  id: countField,
  shard: shardIdField,
  operationId: operationIdField,
  body: operationBodyField,
  read: readLevelField,
  durability: durabilityField,
  sync: syncClassField,
  timeoutMs: timeoutField,
  noAutonomous: bool,
  schemaVersion: schemaVersionField,
});

/** The difference of two readings of a clock: rounded, because it must never stop an answer. */
const staleness = measured(0, Number.MAX_SAFE_INTEGER);

const foundParts = { key: entryIdField, entry: passingEntryBytes, version: entryVersionField };
const foundEntryField = unrolledFoundEntry({
  general: extensible<FoundEntry>(foundParts),
  ...foundParts,
});

const changeKindField = choice<HistoryStep['kind']>({ put: 1, update: 2, delete: 3 });

const historyStepField: Field<HistoryStep> = extensible<HistoryStep>({
  version: entryVersionField,
  kind: changeKindField,
  entry: maybeEntryBytes,
  position: shardPositionField,
});

const wireNumber = integer(0, 0xffff);

/** A code of a newer version becomes `UNKNOWN_CODE`: what to do travels beside it. */
const errorCodeField: Field<ErrorCode> = {
  ...(wireNumber as unknown as Field<ErrorCode>),
  shape: 'errorCode',
  toWire: (code) => wireNumber.toWire(ERROR_CODES[code]?.wire),
  fromWire: (raw) => errorCodeOf(wireNumber.fromWire(raw)) ?? 'UNKNOWN_CODE',
  bytes: (code) => wireNumber.bytes(ERROR_CODES[code].wire),
  write: (code, to) => wireNumber.write(ERROR_CODES[code].wire, to),
  read: (from) => {
    const code = errorCodeOf(wireNumber.read(from));
    // The number of an unknown code is kept, by whoever sees the whole result.
    if (code === undefined) throw UNREAD;
    return code;
  },
};

const acknowledgedField = choice<'quorum' | 'local'>({ quorum: 1, local: 2 });
const existedField = optional(bool);

const results = extensibleUnion<OperationResult>({
  written: {
    number: 1,
    fields: {
      version: entryVersionField,
      acknowledged: acknowledgedField,
      sync: syncClassField,
      autonomous: bool,
      repeated: bool,
      existed: existedField,
    },
  },
  found: {
    number: 2,
    fields: { found: foundEntryField, source: answerSourceField, stalenessMs: staleness },
  },
  absent: { number: 3, fields: { source: answerSourceField, stalenessMs: staleness } },
  listed: {
    number: 4,
    fields: {
      entries: list(foundEntryField, LIMITS.listEntriesMax),
      count: countField,
      more: bool,
      source: answerSourceField,
      stalenessMs: staleness,
    },
  },
  history: {
    number: 5,
    fields: { steps: list(historyStepField, LIMITS.historyStepsMax), complete: bool },
  },
  failed: {
    number: 6,
    fields: {
      code: errorCodeField,
      message: sentence(LIMITS.detailBytesMax),
      hint: optional(nodeIdField),
      applied: choice<Applied>({ no: 1, unknown: 2, yes: 3 }),
      current: optional(entryVersionField),
      details: bytes(1, LIMITS.errorDetailsBytesMax),
    },
  },
});

const resultField = unrolledResult({
  general: results,
  version: entryVersionField,
  acknowledged: acknowledgedField,
  sync: syncClassField,
  flag: bool,
  existed: existedField,
  found: foundEntryField,
  source: answerSourceField,
  stalenessMs: staleness,
});

/** What became of an operation. The number of a code that this version does not know is kept. */
export const operationResultField: Field<OperationResult> = {
  shape: resultField.shape,
  optional: false,
  toWire: (result) => resultField.toWire(result),
  fromWire: (raw) => {
    const result = resultField.fromWire(raw);
    return result.kind === 'failed' ? withNumber(result, raw as readonly WireValue[]) : result;
  },
  bytes: (result) => resultField.bytes(result),
  write: (result, to) => resultField.write(result, to),
  read: (from) => resultField.read(from),
};

/**
 * The details of a code that is not known here cannot be read, so its number takes their place: it
 * survives a node in between as well. What arrives as `UNKNOWN_CODE` has been through this already.
 */
function withNumber(
  failed: Extract<OperationResult, { readonly kind: 'failed' }>,
  raw: readonly WireValue[],
): OperationResult {
  const wire = raw[1] as number;
  if (failed.code !== 'UNKNOWN_CODE' || wire === ERROR_CODES.UNKNOWN_CODE.wire) return failed;
  return { ...failed, details: pack(ERROR_DETAIL_FIELDS.UNKNOWN_CODE.toWire({ wire })) };
}

const answerParts = {
  id: countField,
  shard: shardIdField,
  position: shardPositionField,
  result: operationResultField,
};
export const answerField: Field<Answer> = unrolledAnswer({
  general: extensible<Answer>(answerParts),
  ...answerParts,
});

/** The exact encoded length of one operation, for filling a message up to its bound. */
export function operationBytes(operation: Operation): number {
  return operationField.bytes(operation);
}

/** The exact encoded length of one answer. */
export function answerBytes(answer: Answer): number {
  return answerField.bytes(answer);
}

export const operationFields = messageFields<Operations | Answers>({
  operations: { operations: list(operationField, LIMITS.operationsMax) },
  answers: { answers: list(answerField, LIMITS.operationsMax) },
});
