import type { DottedVersionSet } from '../causality/dotted-version-set.ts';
import type { Timestamp } from '../envelope.ts';
import type { EntryVersion } from '../messages/operations.ts';
import type { Extensible } from '../wire/struct.ts';

/** A value that JSON can carry. Numbers are finite; text is well-formed and without NUL. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export type JsonObject = { readonly [name: string]: JsonValue };

/** Where mem0 stands with an entry. `none`: no mem0 is configured. */
export type UpstreamState = 'none' | 'queued' | 'synced' | 'refused';

/** The losing side of a merge: kept beside the winner, at most 8. */
export interface Superseded {
  readonly content: string;
  readonly timestamp: Timestamp;
}

/** One memory, as it is stored and travels. Its id and its version stand beside it. */
export interface EntryBody extends Extensible {
  /** Parts of the scope besides the namespace; '' when absent. Fixed when the entry is made. */
  readonly userId: string;
  readonly agentId: string;
  readonly appId: string;
  readonly runId: string;
  readonly content: string;
  readonly category: string;
  /** mem0's list. */
  readonly categories: readonly string[];
  readonly metadata: JsonObject;
  /** Milliseconds since 1970, by the primary's hybrid clock. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** 0 for never. */
  readonly expiresAt: number;
  readonly immutable: boolean;
  readonly schema: string;
  readonly schemaVersion: number;
  /** Of content, category, categories and metadata: `entryChecksum`. */
  readonly checksum: string;
  readonly upstreamId: string;
  readonly upstreamState: UpstreamState;
  readonly upstreamHash: string;
  readonly upstreamConfirmedAt: number;
  readonly superseded: readonly Superseded[];
}

/** One write as a replica keeps it. */
export interface StoredWrite {
  readonly kind: 'put' | 'update' | 'delete';
  readonly timestamp: Timestamp;
  /** 0 for never. Copied out of the entry, because it is asked more often than the entry. */
  readonly expiresAt: number;
  readonly autonomous: boolean;
  /** Bytes of `entryBodyField`; empty for a delete. */
  readonly entry: Uint8Array;
}

/** All that a replica knows of one key. */
export type EntryState = DottedVersionSet<StoredWrite>;

/** What one log record does. */
export type RecordBody =
  | {
      readonly kind: 'write';
      /** `storedKey(namespace, id)`. */
      readonly key: string;
      /** Bytes of `entryStateField`: replaces what is stored. */
      readonly state: Uint8Array;
      /** '' for a merge that no repetition can ask for. */
      readonly operationId: string;
      readonly timestamp: Timestamp;
      /** At `one`: the primary answered before anybody else had it. */
      readonly answeredEarly: boolean;
      /** Of the request: tells its repetition from another request under the same id. */
      readonly fingerprint: number;
      /** Of the write itself, where it may not be the winner of `state`: a merge. */
      readonly version?: EntryVersion | undefined;
    }
  | { readonly kind: 'activate' }
  /** Tombstones of records up to `upTo` are dropped; orphans older than `timestamp` are parked. */
  | { readonly kind: 'collect'; readonly upTo: number; readonly timestamp: Timestamp };
