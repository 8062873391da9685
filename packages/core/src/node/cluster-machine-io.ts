import type {
  ClusterId,
  Envelope,
  Generation,
  GroupEpoch,
  LogIndex,
  MemberRecord,
  Message,
  NodeId,
  ShardConfig,
  ShardReport,
} from '@memgrid/protocol';
import type { ElectionConfig } from '../election/election-config.ts';
import type { ElectionRecord } from '../election/election-io.ts';
import type { ControlState } from '../control/control-state.ts';
import type { RouteNode } from '../gateway/gateway-io.ts';
import type { MembershipConfig } from '../membership/membership-config.ts';
import type { Instant } from '../machine.ts';
import type { NodeEvent } from '../node-event.ts';
import type { HaltCode, NodeReply, NodeRequest } from '../node-io.ts';
import type { FoundingShards } from '../planner/planner-io.ts';
import type { RequestId } from '../request-id.ts';
import type { StoreOperation, Ticket } from '../store-operation.ts';
import type { Random } from '../random.ts';
import type { DataPlaneMessage } from './route.ts';

/** What this node measures about itself and tells its peers. */
export interface SelfReadings {
  readonly loopLagP99Ms: number;
  readonly heapPercent: number;
  readonly clockOffsetMs: number;
  readonly clockSuspect: boolean;
}

/** What the control group is asked. */
export type ControlRequest = Exclude<NodeRequest, { kind: 'operation' | 'orphans' }>;

export type ClusterInput =
  /** A peer of this cluster is connected (or turned out to be of this cluster). */
  | {
      readonly kind: 'peerUp';
      readonly peer: NodeId;
      readonly generation: Generation;
      readonly address: string;
      readonly groupEpoch: GroupEpoch;
    }
  | { readonly kind: 'peerDown'; readonly peer: NodeId; readonly generation: Generation }
  | { readonly kind: 'dialRefused'; readonly peer: NodeId }
  | { readonly kind: 'dialFailed'; readonly peer: NodeId }
  | { readonly kind: 'newGeneration'; readonly peer: NodeId; readonly generation: Generation }
  | {
      readonly kind: 'message';
      readonly from: NodeId;
      readonly generation: Generation;
      readonly envelope: Envelope;
    }
  | { readonly kind: 'stored'; readonly ticket: Ticket }
  | { readonly kind: 'stalled'; readonly stalledMs: number }
  | { readonly kind: 'readings'; readonly readings: SelfReadings }
  | { readonly kind: 'request'; readonly request: RequestId; readonly body: ControlRequest }
  /** What the shards of this node have to tell the coordinator. */
  | { readonly kind: 'reports'; readonly reports: readonly ShardReport[] }
  /** Hand over, say goodbye; `gone` follows. */
  | { readonly kind: 'leave' };

export type ClusterEffect =
  | {
      readonly kind: 'send';
      readonly to: NodeId;
      readonly address: string;
      readonly message: Message;
    }
  | { readonly kind: 'contact'; readonly peer: NodeId; readonly address: string }
  /** The link to this peer may be half open: make a new one. */
  | { readonly kind: 'disconnect'; readonly peer: NodeId; readonly reason: string }
  | {
      readonly kind: 'store';
      readonly ticket: Ticket;
      readonly operations: readonly StoreOperation[];
      readonly durable: boolean;
    }
  | { readonly kind: 'reply'; readonly request: RequestId; readonly reply: NodeReply }
  /** About entries. */
  | { readonly kind: 'data'; readonly from: NodeId; readonly body: DataPlaneMessage }
  /** Committed: all shards at first, then those that changed. */
  | {
      readonly kind: 'placement';
      readonly index: LogIndex;
      readonly shardCount: number;
      readonly changed: readonly ShardConfig[];
    }
  /** Told whenever it may have changed, and about once a second. */
  | {
      readonly kind: 'nodes';
      readonly nodes: readonly RouteNode[];
      readonly coordinator: NodeId | undefined;
    }
  | { readonly kind: 'expelled'; readonly nodes: readonly NodeId[] }
  | { readonly kind: 'regrouped'; readonly groupEpoch: GroupEpoch }
  /** The goodbye has been said. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'halt'; readonly code: HaltCode; readonly detail: string }
  | { readonly kind: 'event'; readonly event: NodeEvent };

export interface ClusterMachineOptions {
  readonly clusterId: ClusterId;
  readonly groupEpoch: GroupEpoch;
  /** What this process registers. */
  readonly self: MemberRecord;
  readonly httpAddress: string;
  readonly votersMax: number | undefined;
  /** What a new cluster creates its shards with. */
  readonly founding: FoundingShards;
  readonly membership: MembershipConfig;
  readonly election: ElectionConfig;
  /** Undefined: this node is in no control group (yet). */
  readonly record: ElectionRecord | undefined;
  readonly control: ControlState | undefined;
  readonly random: Random;
  readonly digest: (bytes: Uint8Array) => Uint8Array;
  readonly now: Instant;
}

/** Every number of the composition, with the reason beside it. */
export const CLUSTER = {
  housekeepingMs: 1_000,
  /** How often an unanswered registration is repeated. */
  registerMs: 1_000,
  /** How often this node tells news about its own load, at most: each costs a rumour. */
  metaIntervalMs: 10_000,
  /** The same for a change of leader or term. */
  leaderMetaIntervalMs: 1_000,
  /** A changed control state of an outsider is written at most this often. */
  controlStateIntervalMs: 5_000,
  /** How long a leaving node waits for its successor, and then for its goodbye to spread. */
  handOverMs: 2_000,
  goodbyeMs: 300,
} as const;
