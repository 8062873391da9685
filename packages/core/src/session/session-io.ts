import type {
  Answer,
  Applied,
  ClientMessage,
  Durability,
  EntryVersion,
  ErrorCode,
  FailedResult,
  FeedChange,
  FeedFilter,
  FoundEntry,
  NodeId,
  OperationBody,
  ReadLevel,
  Scope,
  ShardId,
  SyncClass,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import type { WatchPosition } from './watch-position.ts';

/** Names one call of the application; counted by the shell. */
export type CallId = number;

export interface CallOptions {
  readonly read: ReadLevel;
  readonly durability: Durability;
  readonly sync: SyncClass;
  readonly timeoutMs: number;
  readonly noAutonomous: boolean;
  /** '' lets the session make one. */
  readonly operationId: string;
  /** The version of the schema that the caller knows; absent for the committed one. */
  readonly schemaVersion?: number | undefined;
  /** A near-cache hit may be this old; 0 never answers from the near cache. */
  readonly maxStalenessMs: number;
}

/** What a call is about. The session finds the shard: from the id, or from the scope. */
export interface Call {
  readonly call: CallId;
  readonly body: OperationBody;
  /** Where the key carries no shard: the scope it was stored under. */
  readonly scope: Scope | undefined;
  /** Known already: one shard of a list over many. Goes before id and scope. */
  readonly shard?: ShardId | undefined;
  readonly options: CallOptions;
}

/** How a client's session with a cluster lives: one machine, the same in the simulator. */
export type SessionInput =
  | { readonly kind: 'wallClock'; readonly wallMs: number }
  | { readonly kind: 'linkOpened'; readonly link: LinkId }
  | { readonly kind: 'linkFailed'; readonly link: LinkId; readonly problem: string }
  | { readonly kind: 'linkClosed'; readonly link: LinkId }
  | { readonly kind: 'received'; readonly link: LinkId; readonly message: ClientMessage }
  | { readonly kind: 'garbage'; readonly link: LinkId; readonly problem: string }
  | { readonly kind: 'pressure'; readonly link: LinkId; readonly bufferedBytes: number }
  /** All calls of one turn. */
  | { readonly kind: 'calls'; readonly calls: readonly Call[] }
  /** The caller is no longer interested. What was sent may still happen. */
  | { readonly kind: 'abort'; readonly call: CallId }
  | { readonly kind: 'watch'; readonly watch: number; readonly request: WatchRequest }
  /** The consumer took so many bytes of changes: more may come. */
  | { readonly kind: 'watchTaken'; readonly watch: number; readonly bytes: number }
  | { readonly kind: 'unwatch'; readonly watch: number }
  /** Reads from now on see at least this (a token of another session). */
  | { readonly kind: 'atLeast'; readonly token: string }
  /** No new calls; `drained` follows when the last has ended. */
  | { readonly kind: 'drain' }
  | { readonly kind: 'close' };

export interface WatchRequest {
  readonly filter: FeedFilter;
  /** A position as earlier changes carried it; undefined for "from now on". */
  readonly since: string | undefined;
}

/** What became of a call. */
export type CallOutcome =
  | {
      readonly kind: 'answered';
      readonly answer: Answer;
      readonly node: NodeId;
      readonly operationId: string;
    }
  /** From the near cache. */
  | { readonly kind: 'near'; readonly found: FoundEntry; readonly stalenessMs: number }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      /** Of all attempts together: 'no' only when none of them can have been carried out. */
      readonly applied: Applied;
      readonly operationId: string;
      /** Of the entry, when a condition did not hold and there is one. */
      readonly current: EntryVersion | undefined;
      /** The same as a node would answer it, with the details of the code. */
      readonly result: FailedResult;
    };

export type SessionEffect =
  | { readonly kind: 'dial'; readonly link: LinkId; readonly address: string }
  | { readonly kind: 'hangUp'; readonly link: LinkId }
  | { readonly kind: 'send'; readonly link: LinkId; readonly message: ClientMessage }
  | { readonly kind: 'outcome'; readonly call: CallId; readonly outcome: CallOutcome }
  /** Everything from now on will be seen, or a gap will be told. */
  | { readonly kind: 'watchReady'; readonly watch: number }
  | {
      readonly kind: 'changes';
      readonly watch: number;
      /** Of one shard, in order. */
      readonly changes: readonly WatchedChange[];
      /** After the last of these changes; `position.after(change)` is between them. */
      readonly position: WatchPosition;
      /** To be given back with `watchTaken`. */
      readonly bytes: number;
    }
  | {
      readonly kind: 'gap';
      readonly watch: number;
      readonly shard: ShardId;
      readonly reason: 'trimmed' | 'slow' | 'moved';
      readonly position: WatchPosition;
    }
  /** `problem`: the watch could not be opened as asked; otherwise it was ended by its owner. */
  | {
      readonly kind: 'watchEnded';
      readonly watch: number;
      readonly problem: WatchProblem | undefined;
    }
  | { readonly kind: 'drained' }
  | { readonly kind: 'status'; readonly status: SessionStatus }
  | { readonly kind: 'event'; readonly event: SessionEvent };

export interface WatchProblem {
  readonly code: 'BAD_CURSOR' | 'SHARD_UNKNOWN' | 'OVERLOADED' | 'CLOSED';
  readonly message: string;
}

export interface WatchedChange extends FeedChange {
  readonly shard: ShardId;
  readonly namespace: string;
}

export interface SessionStatus {
  readonly phase: 'connecting' | 'ready' | 'draining' | 'closed';
  readonly connected: readonly { readonly nodeId: NodeId; readonly address: string }[];
  readonly coordinator: NodeId | undefined;
  readonly waitingCalls: number;
  readonly waitingBytes: number;
}

export type SessionEvent =
  | { readonly name: 'node.connected'; readonly nodeId: NodeId; readonly address: string }
  | { readonly name: 'node.disconnected'; readonly address: string; readonly problem: string }
  | {
      readonly name: 'node.refused';
      readonly address: string;
      readonly code: ErrorCode;
      readonly detail: string;
      /** Which versions it speaks, when that is why. */
      readonly protocol: { readonly min: number; readonly max: number } | undefined;
    }
  | { readonly name: 'call.retried'; readonly code: ErrorCode | 'disconnected' | 'silent' }
  | { readonly name: 'call.hedged' };
