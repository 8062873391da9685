import type { NodeId, ShardId } from '../ids.ts';
import type { Timestamp } from '../envelope.ts';
import type { Dot } from '../causality/version-vector.ts';
import type { ErrorCode } from '../error-codes.ts';

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
export type OperationBody =
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
    };

/** One operation on one shard, as it travels from a client to a node and between nodes. */
export interface Operation {
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
}

/** Where an answer came from. */
export type AnswerSource = 'primary' | 'replica' | 'quorum';

/** An entry as a list or a get returns it. */
export interface FoundEntry {
  readonly key: string;
  /** Bytes of `entryBodyField`. */
  readonly entry: Uint8Array;
  readonly version: EntryVersion;
}

/** One step in the life of an entry. `entry` is empty for a delete. */
export interface HistoryStep {
  readonly version: EntryVersion;
  readonly kind: 'put' | 'update' | 'delete';
  readonly entry: Uint8Array;
  readonly position: ShardPosition;
}

export type OperationResult =
  | {
      readonly kind: 'written';
      readonly version: EntryVersion;
      readonly acknowledged: 'quorum' | 'local';
      readonly sync: SyncClass;
      /** Accepted away from the primary: it is merged when the primary is back. */
      readonly autonomous: boolean;
      /** This operation id had been carried out before; nothing was done again. */
      readonly repeated: boolean;
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
  /** `hint`: who to ask, when that is known. Details are those of `ErrorDetails`, encoded. */
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: NodeId | undefined;
      /** Overrides the table's answer where this case is known better. */
      readonly applied: 'yes' | 'no' | 'unknown';
      /** The current version, when a condition did not hold and there is one. */
      readonly current: EntryVersion | undefined;
    };

export interface Answer {
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
