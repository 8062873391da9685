import {
  bytes,
  decodeLogEntry,
  decodeValue,
  encodeLogEntry,
  encodeValue,
  groupConfigField,
  type GroupEpoch,
  groupEpochField,
  type LogEntry,
  LIMITS,
  type LogIndex,
  logIndexField,
  type NodeId,
  nodeIdField,
  optional,
  struct,
  type Term,
  termField,
} from '@memgrid/protocol';
import type { StoreOperation } from '../store-operation.ts';
import type { Snapshot } from './election-io.ts';

/** What a node has promised: never taken back, so written before every answer that relies on it. */
export interface HardState {
  readonly groupEpoch: GroupEpoch;
  readonly term: Term;
  readonly vote: NodeId | undefined;
}

export const HARD_KEY = 'raft/hard';
export const SNAPSHOT_KEY = 'raft/snapshot';
export const LOG_PREFIX = 'raft/log/';

const INDEX_DIGITS = 16;
const LOG_KEY = /^raft\/log\/([0-9a-f]{16})$/;

const hardField = struct<HardState>({
  groupEpoch: groupEpochField,
  term: termField,
  vote: optional(nodeIdField),
});

const snapshotField = struct<Snapshot>({
  index: logIndexField,
  term: termField,
  config: groupConfigField,
  state: bytes(0, LIMITS.snapshotBytesMax),
});

export function putHard(hard: HardState): StoreOperation {
  return { kind: 'put', key: HARD_KEY, value: encodeValue(hardField, hard) };
}

export function putSnapshot(snapshot: Snapshot): StoreOperation {
  return { kind: 'put', key: SNAPSHOT_KEY, value: encodeValue(snapshotField, snapshot) };
}

export function putEntry(entry: LogEntry): StoreOperation {
  return { kind: 'put', key: logKey(entry.index), value: encodeLogEntry(entry) };
}

export function deleteEntry(index: LogIndex): StoreOperation {
  return { kind: 'delete', key: logKey(index) };
}

export function deleteHard(): StoreOperation {
  return { kind: 'delete', key: HARD_KEY };
}

export function deleteSnapshot(): StoreOperation {
  return { kind: 'delete', key: SNAPSHOT_KEY };
}

/** @throws WireError */
export function readHard(bytes: Uint8Array): HardState {
  return decodeValue(hardField, bytes, HARD_KEY);
}

/** @throws WireError */
export function readSnapshot(bytes: Uint8Array): Snapshot {
  return decodeValue(snapshotField, bytes, SNAPSHOT_KEY);
}

/** @throws WireError */
export function readEntry(bytes: Uint8Array): LogEntry {
  return decodeLogEntry(bytes);
}

/** Fixed width, so that keys sort as their indexes do. */
function logKey(index: LogIndex): string {
  return LOG_PREFIX + index.toString(16).padStart(INDEX_DIGITS, '0');
}

/** The index in a log key; undefined when the key is none. */
export function indexOfKey(key: string): number | undefined {
  const digits = LOG_KEY.exec(key)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}
