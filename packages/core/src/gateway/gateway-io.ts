import type {
  Answer,
  ClientMessage,
  ClusterId,
  EntryOwner,
  FailedResult,
  Generation,
  LogIndex,
  NodeId,
  Operation,
  ShardConfig,
  ShardId,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import type { Instant } from '../machine.ts';
import type { RequestId } from '../request-id.ts';
import type { AppliedChange, LocalOperation, OperationToken } from '../shards/shards-io.ts';

/** What a node knows of another for routing. */
export interface RouteNode {
  readonly nodeId: NodeId;
  readonly address: string;
  readonly zone: string;
  readonly alive: boolean;
}

/** What the shards of this node answered to one `LocalOperation`. */
export interface LocalAnswer {
  readonly token: OperationToken;
  readonly answer: Answer;
}

/**
 * A node's front door: client connections, operations to where they can be answered, feeds.
 * Client links have their own numbers, apart from those of peers.
 */
export type GatewayInput =
  /** This node belongs to a cluster: clients are let in from now on. */
  | { readonly kind: 'founded'; readonly clusterId: ClusterId }
  | { readonly kind: 'clientAccepted'; readonly link: LinkId; readonly remote: string }
  | { readonly kind: 'clientClosed'; readonly link: LinkId }
  | { readonly kind: 'clientReceived'; readonly link: LinkId; readonly message: ClientMessage }
  | { readonly kind: 'clientGarbage'; readonly link: LinkId; readonly problem: string }
  | { readonly kind: 'clientPressure'; readonly link: LinkId; readonly bufferedBytes: number }
  /** From inside this process: HTTP, a test. */
  | { readonly kind: 'request'; readonly request: RequestId; readonly operation: Operation }
  /** A peer forwards operations of its clients, or answers ours. */
  | { readonly kind: 'forwarded'; readonly from: NodeId; readonly operations: readonly Operation[] }
  | { readonly kind: 'answered'; readonly from: NodeId; readonly answers: readonly Answer[] }
  /** From the shards of this node. */
  | { readonly kind: 'local'; readonly answers: readonly LocalAnswer[] }
  /** May be left out while there is no feed. */
  | { readonly kind: 'applied'; readonly changes: readonly AppliedChange[] }
  | {
      readonly kind: 'placement';
      readonly index: LogIndex;
      readonly shardCount: number;
      readonly changed: readonly ShardConfig[];
    }
  | {
      readonly kind: 'nodes';
      readonly nodes: readonly RouteNode[];
      readonly coordinator: NodeId | undefined;
    }
  /** There is a link to this peer: operations can be forwarded to it. */
  | { readonly kind: 'peerUp'; readonly peer: NodeId }
  /** The link to this peer is gone, and with it what was forwarded over it or will be answered. */
  | { readonly kind: 'peerReset'; readonly peer: NodeId }
  /** Say goodbye to everybody and take nothing new. */
  | { readonly kind: 'drain'; readonly reason: 'shuttingDown' | 'draining' };

export type GatewayEffect =
  | { readonly kind: 'clientSend'; readonly link: LinkId; readonly message: ClientMessage }
  | { readonly kind: 'clientHangUp'; readonly link: LinkId }
  /** Stop, or go on, reading from this client: its answers pile up. */
  | { readonly kind: 'clientPause'; readonly link: LinkId; readonly paused: boolean }
  | { readonly kind: 'local'; readonly operations: readonly LocalOperation[] }
  | { readonly kind: 'forward'; readonly to: NodeId; readonly operations: readonly Operation[] }
  | { readonly kind: 'answer'; readonly to: NodeId; readonly answers: readonly Answer[] }
  | { readonly kind: 'reply'; readonly request: RequestId; readonly answer: Answer }
  | { readonly kind: 'event'; readonly event: GatewayEvent };

export type GatewayEvent =
  | {
      readonly name: 'client.connected';
      readonly link: LinkId;
      readonly remote: string;
      readonly client: string;
    }
  | { readonly name: 'client.disconnected'; readonly link: LinkId }
  | {
      readonly name: 'client.refused';
      readonly link: LinkId;
      readonly remote: string;
      readonly detail: string;
    }
  | {
      readonly name: 'feed.gap';
      readonly link: LinkId;
      readonly reason: 'trimmed' | 'slow' | 'moved';
    };

/** What a new entry must satisfy to be let in. */
export interface EntryAdmission {
  /** The entry as it is stored, and whose it is, or why it is not. */
  admitted(
    namespace: string,
    entry: Uint8Array,
  ):
    | { readonly kind: 'entry'; readonly entry: Uint8Array; readonly owner: EntryOwner }
    | { readonly kind: 'failed'; readonly failure: FailedResult };
  /**
   * A stored entry as a caller is shown it: in the version of its schema that the caller knows, or
   * in the committed one. The same bytes where that is the version in which it is stored.
   */
  shown(
    entry: Uint8Array,
    schemaVersion: number | undefined,
  ):
    | { readonly kind: 'entry'; readonly entry: Uint8Array }
    | { readonly kind: 'failed'; readonly failure: FailedResult };
}

export interface GatewayOptions {
  readonly self: NodeId;
  readonly generation: Generation;
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly limits: GatewayLimits;
  readonly rules: EntryAdmission;
  /** Told to each client, whose operation ids carry the time. */
  readonly wallMs: () => number;
  /** How far this node's replica of a shard has applied its log; undefined when it holds none. */
  readonly appliedIndex: (shard: ShardId) => number | undefined;
  /**
   * What took effect in a shard after `index`, up to `appliedIndex`, in order and without a hole: the
   * latest `countMax`, as far back as its log goes.
   */
  readonly changesAfter: (
    shard: ShardId,
    index: number,
    countMax: number,
  ) => readonly AppliedChange[];
  /**
   * What this node's shards answer to a read that nobody has to wait for; undefined for everything
   * else, which they are handed. Changes nothing.
   */
  readonly answerAtOnce: (now: Instant, operation: Operation) => Answer | undefined;
}

/** Every bound of the front door, with its reason in `gateway-limits.ts`. */
export interface GatewayLimits {
  readonly clientsMax: number;
  readonly helloMsMax: number;
  readonly operationMsMax: number;
  /** Under way for one client, or for one peer. */
  readonly windowBytes: number;
  readonly windowOperations: number;
  /** Under way altogether. */
  readonly totalBytes: number;
  readonly totalOperations: number;
  readonly pauseBytes: number;
  readonly resumeBytes: number;
  readonly hangUpBytes: number;
  readonly unreadBytes: number;
  readonly messageBytes: number;
  readonly feedsMax: number;
  readonly clientFeedsMax: number;
  readonly feedCreditBytes: number;
  readonly feedCreditBytesMax: number;
  readonly feedMessageBytes: number;
  readonly recentBytes: number;
  readonly recentChanges: number;
}
