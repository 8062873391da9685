import type {
  Answer,
  ClusterId,
  ControlCommand,
  Envelope,
  Generation,
  LogIndex,
  NodeId,
  Operation,
  ProposeOutcome,
  ShardId,
} from '@memgrid/protocol';
import type { GatewayEffect, GatewayInput } from './gateway/gateway-io.ts';
import type { LinkId } from './link-id.ts';
import type { NodeEvent } from './node-event.ts';
import type { RequestId } from './request-id.ts';
import type { OrphanReply, OrphanRequest } from './shards/orphans-io.ts';
import type { LoadResult } from './shards/shards-io.ts';
import type { StoreOperation, Ticket } from './store-operation.ts';

export type { LinkId } from './link-id.ts';

export type DialProblem =
  /** The operating system says nobody listens there (ECONNREFUSED). */
  | 'refused'
  /** No route, no such host, or the connection was reset before the handshake. */
  | 'unreachable'
  | 'timeout';

/** What happens to the connections of clients. */
export type ClientInput = Extract<
  GatewayInput,
  {
    kind: 'clientAccepted' | 'clientClosed' | 'clientReceived' | 'clientGarbage' | 'clientPressure';
  }
>;

/** What a node does to the connections of clients. */
export type ClientEffect = Extract<
  GatewayEffect,
  { kind: 'clientSend' | 'clientHangUp' | 'clientPause' }
>;

/** What happens to a node. */
export type NodeInput =
  | ClientInput
  /** The wall clock, told at the beginning of every turn. */
  | { readonly kind: 'wallClock'; readonly wallMs: number }
  | { readonly kind: 'linkAccepted'; readonly link: LinkId; readonly remote: string }
  | { readonly kind: 'linkOpened'; readonly link: LinkId }
  | { readonly kind: 'linkFailed'; readonly link: LinkId; readonly problem: DialProblem }
  | { readonly kind: 'linkClosed'; readonly link: LinkId }
  | { readonly kind: 'received'; readonly link: LinkId; readonly envelope: Envelope }
  /** Bytes that are no message of ours. Counted, answered by closing the link, never fatal. */
  | { readonly kind: 'garbage'; readonly link: LinkId; readonly problem: string }
  /** A well-formed envelope of a type this version does not know. Counted and ignored. */
  | { readonly kind: 'unknownMessage'; readonly link: LinkId; readonly messageType: number }
  /** Bytes waiting in the sending half of a link; told when it crosses a threshold either way. */
  | { readonly kind: 'pressure'; readonly link: LinkId; readonly bufferedBytes: number }
  | { readonly kind: 'stored'; readonly ticket: Ticket }
  /** The disk refused. After a failed sync nothing about it can be believed: the node halts. */
  | { readonly kind: 'storeFailed'; readonly ticket: Ticket; readonly problem: string }
  /** The answer to a `load`. */
  | { readonly kind: 'loaded'; readonly ticket: Ticket; readonly result: LoadResult }
  /** The background scrub found a stored entry that fails its checksum. */
  | {
      readonly kind: 'damaged';
      readonly shard: ShardId;
      readonly slot: number;
      readonly key: string;
      readonly problem: string;
    }
  /**
   * How full the disk is, measured every few seconds: at `maxBytes` writes of entries are refused,
   * and what the node itself must remember still fits.
   */
  | { readonly kind: 'storage'; readonly usedBytes: number; readonly maxBytes: number }
  /** The event loop stood still for this long just before this turn. */
  | { readonly kind: 'stalled'; readonly stalledMs: number }
  /** Measured about once a second. */
  | {
      readonly kind: 'load';
      readonly loopLagP99Ms: number;
      /** Used share of the heap limit, 0 to 100. */
      readonly heapPercent: number;
    }
  | { readonly kind: 'request'; readonly request: RequestId; readonly body: NodeRequest }
  /** Leave gracefully: hand over, say goodbye, then `halted` with code `left`. */
  | { readonly kind: 'shutdown' };

/** What an operator or the shell may ask of a node. Every request gets exactly one reply. */
export type NodeRequest =
  /** Puts a command through the control group, from any node. */
  | { readonly kind: 'propose'; readonly command: ControlCommand }
  /** Hands the coordinator's role to `to`, or to the best voter. */
  | { readonly kind: 'handover'; readonly to: NodeId | undefined }
  /** A round trip through a majority: proves that the control group answers. */
  | { readonly kind: 'readIndex' }
  /** One operation on entries, from inside this process. Answered within its `timeoutMs`. */
  | { readonly kind: 'operation'; readonly operation: Operation }
  /** About the writes that this node keeps because no log has them. */
  | { readonly kind: 'orphans'; readonly ask: OrphanRequest };

export type NodeReply =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'orphans'; readonly reply: OrphanReply }
  | { readonly kind: 'proposed'; readonly outcome: ProposeOutcome }
  | { readonly kind: 'handedOver'; readonly leader: NodeId }
  | { readonly kind: 'readable'; readonly index: LogIndex }
  | { readonly kind: 'failed'; readonly reason: NodeRequestProblem; readonly detail: string };

export type NodeRequestProblem =
  | 'notFounded'
  | 'noLeader'
  | 'notLeader'
  | 'timeout'
  | 'badTarget'
  | 'shuttingDown'
  | 'overloaded'
  /** The request itself makes no sense; `detail` says why. Nothing was done. */
  | 'invalid';

/** Why a node stops for good. */
export type HaltCode =
  /** A graceful leave or shutdown is complete. */
  | 'left'
  /** Another process runs with this node's identity: a cloned data directory. */
  | 'identityInUse'
  /** The cluster expelled this node. */
  | 'expelled'
  /** A write or sync failed: what is on disk is unknown until a restart reads it back. */
  | 'storeFailed'
  /** The data directory belongs to another cluster than every reachable seed. */
  | 'wrongCluster'
  /** The directory is older than what this node once acknowledged (restored or cloned). */
  | 'staleDirectory';

/** What a node does. Carried out in order. */
export type NodeEffect =
  | ClientEffect
  | {
      readonly kind: 'dial';
      readonly link: LinkId;
      readonly address: string;
      readonly channel: 'control' | 'bulk';
    }
  | { readonly kind: 'hangUp'; readonly link: LinkId }
  | { readonly kind: 'send'; readonly link: LinkId; readonly envelope: Envelope }
  /**
   * A batch for the disk. `durable: true` answers `stored` only after a sync; batches become
   * durable in the order in which they were issued.
   */
  | {
      readonly kind: 'store';
      readonly ticket: Ticket;
      readonly operations: readonly StoreOperation[];
      readonly durable: boolean;
    }
  /** Reads one stored entry back; answered with `loaded`. */
  | {
      readonly kind: 'load';
      readonly ticket: Ticket;
      readonly shard: ShardId;
      readonly slot: number;
      readonly key: string;
    }
  | { readonly kind: 'reply'; readonly request: RequestId; readonly reply: NodeReply }
  | { readonly kind: 'publish'; readonly event: NodeEvent }
  | { readonly kind: 'halt'; readonly code: HaltCode; readonly detail: string };

/** What a node knows about itself before it reads its disk. Total: see `node/config`. */
export interface NodeSettings {
  /** Where peers reach this node: `host:port`. */
  readonly address: string;
  readonly httpAddress: string;
  /** Addresses to ask first. May contain the node's own. */
  readonly seeds: readonly string[];
  /** How many nodes found the cluster together. */
  readonly expect: number;
  readonly zone: string;
  readonly weight: number;
  /** Limits how many votes the group may have: 1, 3, 5 or 7; undefined derives it from size. */
  readonly votersMax: number | undefined;
  /** Shards and copies that a new cluster is created with. Without meaning once it exists. */
  readonly shardCount: number;
  readonly replicationFactor: number;
  /** Features of this binary. Sorted. */
  readonly features: readonly string[];
  readonly protocolMin: number;
  readonly protocolMax: number;
}

/** What outlives a process: read once at start, before the first packet. */
export interface Identity {
  readonly nodeId: NodeId;
  readonly generation: Generation;
  readonly clusterId: ClusterId | undefined;
}
