import type { Generation, NodeId, ShardId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { countField, generationField, shardIdField } from '../wire/counters.ts';
import { bool, bytes, choice, type Field, list, text, uint } from '../wire/field.ts';
import { nodeIdField } from '../wire/id-field.ts';
import { struct } from '../wire/struct.ts';
import { messageFields } from './message-fields.ts';
import {
  type Answers,
  entryIdField,
  namespaceField,
  operationIdField,
  type Operations,
  type ShardEpoch,
  type ShardPosition,
  shardPositionField,
  type SyncClass,
  syncClassField,
} from './operations.ts';

/** One record of a shard's log. `body` is made once, by the primary, and forwarded as it is. */
export interface LogRecord {
  /** The epoch in which it was first logged. */
  readonly epoch: ShardEpoch;
  readonly index: number;
  /** How safe a replica must have it before its acknowledgement counts. */
  readonly sync: SyncClass;
  /** Bytes of `recordBodyField`. */
  readonly body: Uint8Array;
}

/** What one primary has to tell one replica about one shard. Empty `records` carry the commit. */
export interface ReplicateShard {
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  /** The position right before the first record. */
  readonly previous: ShardPosition;
  readonly commit: number;
  /** Sent again after silence, so that a lost answer does not look like a lost replica. */
  readonly records: readonly LogRecord[];
}

export interface Replicate {
  readonly type: 'replicate';
  readonly shards: readonly ReplicateShard[];
}

export interface ReplicateShardAck {
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  /** The log matches the primary's up to here, by what "having it" means. */
  readonly memory: number;
  readonly os: number;
  readonly disk: number;
  /** The base is whole: this acknowledgement counts for every set. */
  readonly complete: boolean;
  readonly applied: number;
  /** `previous` did not match: the primary goes back to this replica's `memory`. */
  readonly mismatch: boolean;
}

export interface ReplicateAck {
  readonly type: 'replicateAck';
  readonly shards: readonly ReplicateShardAck[];
}

/** A new primary asks: accept nothing older than this epoch from now on. */
export interface PromiseRequest {
  readonly type: 'promise';
  readonly shards: readonly { readonly shard: ShardId; readonly epoch: ShardEpoch }[];
}

export interface ShardPromise {
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  /** Of the copy that counts, which is always whole: a stream fills another one. */
  readonly last: ShardPosition;
}

export interface PromiseAck {
  readonly type: 'promiseAck';
  readonly shards: readonly ShardPromise[];
}

/** The request's epoch is older than what this replica promised. */
export interface ShardNack {
  readonly type: 'shardNack';
  readonly shards: readonly { readonly shard: ShardId; readonly current: ShardEpoch }[];
}

/** A replica that is behind asks for the suffix after `after`, or for relaying it to `to`. */
export interface LogPull {
  readonly type: 'logPull';
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly after: ShardPosition;
  /** Names this pull in its answer. */
  readonly pull: number;
}

/** Consecutive records after the asked position. `gone`: trimmed; a stream is needed. */
export interface LogSuffix {
  readonly type: 'logSuffix';
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly pull: number;
  readonly previous: ShardPosition;
  readonly records: readonly LogRecord[];
  readonly commit: number;
  readonly gone: boolean;
  readonly more: boolean;
}

/** Is this epoch still the one? One round serves every strong read that waits. */
export interface EpochPing {
  readonly type: 'epochPing';
  readonly round: number;
  readonly shards: readonly { readonly shard: ShardId; readonly epoch: ShardEpoch }[];
}

export interface EpochPong {
  readonly type: 'epochPong';
  readonly round: number;
  /** Those of the ping that still hold. */
  readonly shards: readonly ShardId[];
}

/** A replica asks the others what they have of some keys, for a quorum read. */
export interface KeyQuery {
  readonly type: 'keyQuery';
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly query: number;
  readonly namespace: string;
  readonly key: string;
}

export interface KeyQueryResp {
  readonly type: 'keyQueryResp';
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly query: number;
  /** False: this replica has no record of the epoch yet, or no whole base. */
  readonly inSync: boolean;
  /** The latest logged and durable record of this key; what is applied when there is none. */
  readonly at: ShardPosition;
  readonly commit: number;
  /** The stored state after it; empty when absent. */
  readonly state: Uint8Array;
}

/** A holder is asked to bring a lagging replica of the same epoch up to `upTo`. */
export interface Relay {
  readonly type: 'relay';
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly query: number;
  readonly to: NodeId;
  readonly upTo: number;
}

export interface RelayResp {
  readonly type: 'relayResp';
  readonly shard: ShardId;
  readonly query: number;
  readonly done: boolean;
}

/** A write that was accepted away from the log: the primary merges it. */
export interface OfferOrphan {
  readonly type: 'offerOrphan';
  readonly shard: ShardId;
  readonly orphan: number;
  readonly namespace: string;
  readonly key: string;
  /** The dotted version set to join in. */
  readonly state: Uint8Array;
  /** Of the write, and of its request: a repetition must find it carried out. */
  readonly operationId: string;
  readonly fingerprint: number;
}

export interface OrphanTaken {
  readonly type: 'orphanTaken';
  readonly shard: ShardId;
  readonly orphan: number;
  /** Parked: older than what the shard has collected. It is kept for the operator. */
  readonly parked: boolean;
}

/** Asks for the whole of a shard (or for the entries of a few keys that failed their checksum). */
export interface StreamOpen {
  readonly type: 'streamOpen';
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly session: number;
  readonly stream: number;
  /** Empty for the whole shard. */
  readonly keys: readonly string[];
}

export interface StreamedEntry {
  /** `namespace` NUL `id`. */
  readonly key: string;
  readonly state: Uint8Array;
}

export interface StreamedOperation {
  readonly operationId: string;
  readonly outcome: Uint8Array;
}

export interface StreamChunk {
  readonly type: 'streamChunk';
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly stream: number;
  /** From 1. */
  readonly chunk: number;
  /** Where the base begins: records after it are replicated live. Same in every chunk. */
  readonly base: ShardPosition;
  readonly entries: readonly StreamedEntry[];
  readonly operations: readonly StreamedOperation[];
  /** In the last chunk: applied at the source when it was made; 0 before. */
  readonly doneAt: number;
  readonly checksum: number;
}

export interface StreamAck {
  readonly type: 'streamAck';
  readonly shard: ShardId;
  readonly stream: number;
  readonly chunk: number;
  /** Chunks that may be under way. 0 stops for now. */
  readonly credit: number;
}

export interface StreamRefused {
  readonly type: 'streamRefused';
  readonly shard: ShardId;
  readonly stream: number;
  readonly reason: 'epoch' | 'incomplete' | 'busy' | 'closed';
}

/** How far a primary is with a shard: told to the coordinator when it changes, and every 5 s. */
export interface ShardReport {
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  /** The primary serves in this epoch. */
  readonly active: boolean;
  /** Members of `replicas` and `next` that have promised this epoch. */
  readonly promised: readonly NodeId[];
  /** Those of them that are complete and within reach of the log's end. */
  readonly caughtUp: readonly NodeId[];
  readonly entries: number;
  readonly bytes: number;
}

export interface ShardReports {
  readonly type: 'shardReports';
  readonly generation: Generation;
  readonly reports: readonly ShardReport[];
}

export type DataMessage =
  | Operations
  | Answers
  | Replicate
  | ReplicateAck
  | PromiseRequest
  | PromiseAck
  | ShardNack
  | LogPull
  | LogSuffix
  | EpochPing
  | EpochPong
  | KeyQuery
  | KeyQueryResp
  | Relay
  | RelayResp
  | OfferOrphan
  | OrphanTaken
  | StreamOpen
  | StreamChunk
  | StreamAck
  | StreamRefused
  | ShardReports;

export const logRecordField: Field<LogRecord> = struct<LogRecord>({
  epoch: countField,
  index: countField,
  sync: syncClassField,
  body: bytes(1, LIMITS.recordBytesMax),
});

const records = list(logRecordField, LIMITS.recordsMax);
const state = bytes(0, LIMITS.entryStateBytesMax);
const storedKeyText = text(LIMITS.namespaceBytesMax + 1 + LIMITS.entryIdBytesMax);
const shardEpoch = { shard: shardIdField, epoch: countField };

function perShard<T>(field: Field<T>): Field<readonly T[]> {
  return list(field, LIMITS.shardsMax);
}

const replicateShard = struct<ReplicateShard>({
  ...shardEpoch,
  previous: shardPositionField,
  commit: countField,
  records,
});

const replicateShardAck = struct<ReplicateShardAck>({
  ...shardEpoch,
  memory: countField,
  os: countField,
  disk: countField,
  complete: bool,
  applied: countField,
  mismatch: bool,
});

const shardPromise = struct<ShardPromise>({ ...shardEpoch, last: shardPositionField });

const streamedEntry = struct<StreamedEntry>({ key: storedKeyText, state });

const streamedOperation = struct<StreamedOperation>({
  operationId: operationIdField,
  outcome: bytes(0, LIMITS.entryBytesMax),
});

const replicas = list(nodeIdField, 2 * LIMITS.replicasMax);

const shardReport = struct<ShardReport>({
  ...shardEpoch,
  active: bool,
  promised: replicas,
  caughtUp: replicas,
  entries: countField,
  bytes: countField,
});

/** Operations and answers have theirs beside them: they also travel without an envelope. */
export const replicationFields = messageFields<Exclude<DataMessage, Operations | Answers>>({
  replicate: { shards: perShard(replicateShard) },
  replicateAck: { shards: perShard(replicateShardAck) },
  promise: { shards: perShard(struct(shardEpoch)) },
  promiseAck: { shards: perShard(shardPromise) },
  shardNack: { shards: perShard(struct({ shard: shardIdField, current: countField })) },
  logPull: { ...shardEpoch, after: shardPositionField, pull: countField },
  logSuffix: {
    ...shardEpoch,
    pull: countField,
    previous: shardPositionField,
    records,
    commit: countField,
    gone: bool,
    more: bool,
  },
  epochPing: { round: countField, shards: perShard(struct(shardEpoch)) },
  epochPong: { round: countField, shards: perShard(shardIdField) },
  keyQuery: { ...shardEpoch, query: countField, namespace: namespaceField, key: entryIdField },
  keyQueryResp: {
    ...shardEpoch,
    query: countField,
    inSync: bool,
    at: shardPositionField,
    commit: countField,
    state,
  },
  relay: { ...shardEpoch, query: countField, to: nodeIdField, upTo: countField },
  relayResp: { shard: shardIdField, query: countField, done: bool },
  offerOrphan: {
    shard: shardIdField,
    orphan: countField,
    namespace: namespaceField,
    key: entryIdField,
    state,
    operationId: operationIdField,
    fingerprint: uint(0xffffffff),
  },
  orphanTaken: { shard: shardIdField, orphan: countField, parked: bool },
  streamOpen: {
    ...shardEpoch,
    session: countField,
    stream: countField,
    keys: list(storedKeyText, LIMITS.streamKeysMax),
  },
  streamChunk: {
    ...shardEpoch,
    stream: countField,
    chunk: countField,
    base: shardPositionField,
    entries: list(streamedEntry, LIMITS.chunkEntriesMax),
    operations: list(streamedOperation, LIMITS.chunkEntriesMax),
    doneAt: countField,
    checksum: uint(0xffffffff),
  },
  streamAck: { shard: shardIdField, stream: countField, chunk: countField, credit: countField },
  streamRefused: {
    shard: shardIdField,
    stream: countField,
    reason: choice({ epoch: 1, incomplete: 2, busy: 3, closed: 4 }),
  },
  shardReports: {
    generation: generationField,
    reports: list(shardReport, LIMITS.shardReportsMax),
  },
});
