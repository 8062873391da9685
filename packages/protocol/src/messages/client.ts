import type { ClusterId, Generation, LogIndex, NodeId, ShardId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import {
  countField,
  generationField,
  logIndexField,
  protocolVersionField,
  shardIdField,
} from '../wire/counters.ts';
import {
  bool,
  bytes,
  choice,
  integer,
  list,
  optional,
  sentence,
  text,
  uint,
} from '../wire/field.ts';
import { clusterIdField, nodeIdField } from '../wire/id-field.ts';
import { name } from '../wire/name-field.ts';
import { struct } from '../wire/struct.ts';
import { type MessageFields, messageFields } from './message-fields.ts';
import {
  type Answers,
  entryIdField,
  type EntryVersion,
  entryVersionField,
  operationFields,
  type Operations,
  type Scope,
  scopePartField,
  type ShardEpoch,
} from './operations.ts';
import { type ShardStage, shardStageField } from './shards.ts';

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
  /** As in the welcome, when this was sent; absent in what a client says. */
  readonly wallMs?: number | undefined;
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

const clientName = name(0, LIMITS.clientNameBytesMax);

const placementNode = struct<PlacementNode>({
  nodeId: nodeIdField,
  address: text(LIMITS.addressBytesMax),
  zone: text(LIMITS.zoneBytesMax),
  alive: bool,
});

const place = uint(LIMITS.placementNodesMax - 1);
const places = list(place, LIMITS.replicasMax);

const placementShard = struct<PlacementShard>({
  shard: shardIdField,
  epoch: countField,
  stage: shardStageField,
  primary: place,
  replicas: places,
  next: places,
});

/** A filter's namespace may be empty as well: it matches everything. */
const filterField = struct<FeedFilter>({
  scope: struct<Scope>({
    namespace: name(0, LIMITS.namespaceBytesMax),
    userId: scopePartField,
    agentId: scopePartField,
    appId: scopePartField,
    runId: scopePartField,
  }),
  key: name(0, LIMITS.entryIdBytesMax),
});

/** An index, or -1. */
const indexOrNone = integer(-1, Number.MAX_SAFE_INTEGER);

const feedChange = struct<FeedChange>({
  key: entryIdField,
  kind: choice<FeedChange['kind']>({ put: 1, update: 2, delete: 3, expire: 4 }),
  index: countField,
  version: entryVersionField,
  entry: bytes(0, LIMITS.entryBytesMax),
});

export const clientFields: MessageFields<ClientMessage> = {
  ...operationFields,
  ...messageFields<Exclude<ClientMessage, Operations | Answers>>({
    clientHello: {
      protocolMin: protocolVersionField,
      protocolMax: protocolVersionField,
      name: clientName,
      version: clientName,
    },
    clientWelcome: {
      protocol: protocolVersionField,
      clusterId: clusterIdField,
      nodeId: nodeIdField,
      generation: generationField,
      wallMs: countField,
      shardCount: integer(1, LIMITS.shardsMax),
      windowBytes: countField,
    },
    clientRefused: {
      reason: choice<ClientRefused['reason']>({
        protocol: 1,
        notFounded: 2,
        shuttingDown: 3,
        overloaded: 4,
        badMessage: 5,
      }),
      protocolMin: protocolVersionField,
      protocolMax: protocolVersionField,
      detail: sentence(LIMITS.detailBytesMax),
    },
    placement: {
      controlIndex: logIndexField,
      coordinator: optional(nodeIdField),
      nodes: list(placementNode, LIMITS.placementNodesMax),
      shards: list(placementShard, LIMITS.shardsMax),
      whole: bool,
    },
    feedOpen: {
      feed: countField,
      shard: shardIdField,
      filter: filterField,
      keysOnly: bool,
      after: indexOrNone,
    },
    feedClose: { feed: countField },
    feedChanges: {
      feed: countField,
      shard: shardIdField,
      epoch: countField,
      previous: countField,
      to: countField,
      changes: list(feedChange, LIMITS.feedChangesMax),
    },
    feedGap: {
      feed: countField,
      shard: shardIdField,
      reason: choice<FeedGap['reason']>({ trimmed: 1, slow: 2, moved: 3 }),
      resumesAfter: indexOrNone,
    },
    feedCredit: { bytes: countField },
    clientPing: { token: countField },
    clientPong: { token: countField, wallMs: optional(countField) },
    clientBye: {
      reason: choice<ClientBye['reason']>({ closed: 1, shuttingDown: 2, draining: 3 }),
    },
  }),
};
