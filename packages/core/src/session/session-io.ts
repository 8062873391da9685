import type {
  Answer,
  ClientMessage,
  Durability,
  ErrorCode,
  FeedChange,
  FeedFilter,
  NodeId,
  OperationBody,
  ReadLevel,
  Scope,
  ShardId,
  SyncClass,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';

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
  /** A near-cache hit may be this old; 0 never answers from the near cache. */
  readonly maxStalenessMs: number;
}

/** What a call is about. The session finds the shard: from the id, or from the scope. */
export interface Call {
  readonly call: CallId;
  readonly body: OperationBody;
  /** Where the key carries no shard: the scope it was stored under. */
  readonly scope: Scope | undefined;
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
  /** The consumer took so many changes: more may come. */
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

/** What became of a call. `attempts` counts sends. */
export type CallOutcome =
  | {
      readonly kind: 'answered';
      readonly answer: Answer;
      readonly node: NodeId;
      readonly operationId: string;
    }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly applied: 'yes' | 'no' | 'unknown';
      readonly operationId: string;
    };

export type SessionEffect =
  | { readonly kind: 'dial'; readonly link: LinkId; readonly address: string }
  | { readonly kind: 'hangUp'; readonly link: LinkId }
  | { readonly kind: 'send'; readonly link: LinkId; readonly message: ClientMessage }
  | { readonly kind: 'outcome'; readonly call: CallId; readonly outcome: CallOutcome }
  | {
      readonly kind: 'changes';
      readonly watch: number;
      readonly changes: readonly WatchedChange[];
      /** Opaque: resumes after the last of these changes. */
      readonly position: string;
    }
  | {
      readonly kind: 'gap';
      readonly watch: number;
      readonly shard: ShardId;
      readonly reason: 'trimmed' | 'slow' | 'moved';
      readonly position: string;
    }
  | { readonly kind: 'watchEnded'; readonly watch: number; readonly problem: string | undefined }
  | { readonly kind: 'drained' }
  | { readonly kind: 'status'; readonly status: SessionStatus }
  | { readonly kind: 'event'; readonly event: SessionEvent };

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
  | { readonly name: 'node.refused'; readonly address: string; readonly detail: string }
  | { readonly name: 'call.retried'; readonly code: ErrorCode | 'disconnected' | 'silent' }
  | { readonly name: 'call.hedged' };
