import type { ClusterId, Generation, LogIndex, NodeId, ShardId } from '../ids.ts';
import type { ShardEpoch } from './operations.ts';
import type { Answers, EntryVersion, Operations, Scope } from './operations.ts';
import type { ShardStage } from './shards.ts';

/** The first message of a client. */
export interface ClientHello {
  readonly type: 'clientHello';
  readonly protocolMin: number;
  readonly protocolMax: number;
  /** What it calls itself, for logs. */
  readonly name: string;
  readonly version: string;
}

/** One member, as a client needs to know it. */
export interface PlacementNode {
  readonly nodeId: NodeId;
  readonly address: string;
  readonly zone: string;
  /** As far as the answering node knows. */
  readonly alive: boolean;
}

/** One shard's owners; numbers are places in `nodes`. */
export interface PlacementShard {
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly stage: ShardStage;
  readonly primary: number;
  readonly replicas: readonly number[];
  readonly next: readonly number[];
}

export interface ClientWelcome {
  readonly type: 'clientWelcome';
  readonly protocol: number;
  readonly clusterId: ClusterId;
  readonly nodeId: NodeId;
  readonly generation: Generation;
  /** Operation ids carry the time; a client sets its own clock by this. */
  readonly wallMs: number;
  readonly shardCount: number;
  /** Bytes of operations that this connection may have unanswered. */
  readonly windowBytes: number;
}

/** Why a connection is about to be closed. */
export interface ClientRefused {
  readonly type: 'clientRefused';
  readonly reason: 'protocol' | 'notFounded' | 'shuttingDown' | 'overloaded' | 'badMessage';
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly detail: string;
}

/** Everything at first, then what changed. Members that are not in `nodes` hold nothing. */
export interface Placement {
  readonly type: 'placement';
  readonly controlIndex: LogIndex;
  readonly coordinator: NodeId | undefined;
  readonly nodes: readonly PlacementNode[];
  readonly shards: readonly PlacementShard[];
  /** The shards above are all there are; otherwise only the changed ones. */
  readonly whole: boolean;
}

/** What a feed is about. An empty `key` and an empty scope part match everything. */
export interface FeedFilter {
  readonly scope: Scope;
  readonly key: string;
}

/** Opens a feed of one shard's committed changes. */
export interface FeedOpen {
  readonly type: 'feedOpen';
  readonly feed: number;
  readonly shard: ShardId;
  readonly filter: FeedFilter;
  /** Only which keys changed (for a near cache); otherwise the entries as well. */
  readonly keysOnly: boolean;
  /** Changes after this index; -1 for "from now on". */
  readonly after: number;
}

export interface FeedClose {
  readonly type: 'feedClose';
  readonly feed: number;
}

export interface FeedChange {
  readonly key: string;
  readonly kind: 'put' | 'update' | 'delete' | 'expire';
  readonly index: number;
  readonly version: EntryVersion;
  /** Empty when only keys are wanted, and for deletes. */
  readonly entry: Uint8Array;
}

/** Changes with index in (previous, to]; `previous` is where the message before ended. */
export interface FeedChanges {
  readonly type: 'feedChanges';
  readonly feed: number;
  readonly shard: ShardId;
  readonly epoch: ShardEpoch;
  readonly previous: number;
  readonly to: number;
  readonly changes: readonly FeedChange[];
}

/** The feed ends, or goes on after a hole. */
export interface FeedGap {
  readonly type: 'feedGap';
  readonly feed: number;
  readonly shard: ShardId;
  readonly reason:
    /** The log no longer reaches back to `after`. */
    | 'trimmed'
    /** The consumer was too slow and its buffer was dropped. */
    | 'slow'
    /** This node is no replica any more: open the feed elsewhere. */
    | 'moved';
  /** The feed goes on after this index; -1 when it is closed. */
  readonly resumesAfter: number;
}

/** The client took this much of its feeds: so many bytes more may be sent. */
export interface FeedCredit {
  readonly type: 'feedCredit';
  readonly bytes: number;
}

export interface ClientPing {
  readonly type: 'clientPing';
  readonly token: number;
}

export interface ClientPong {
  readonly type: 'clientPong';
  readonly token: number;
}

/** Said before an orderly end, in either direction. A node's: take your operations elsewhere. */
export interface ClientBye {
  readonly type: 'clientBye';
  readonly reason: 'closed' | 'shuttingDown' | 'draining';
}

export type ClientMessage =
  | ClientHello
  | ClientWelcome
  | ClientRefused
  | Placement
  | Operations
  | Answers
  | FeedOpen
  | FeedClose
  | FeedChanges
  | FeedGap
  | FeedCredit
  | ClientPing
  | ClientPong
  | ClientBye;
