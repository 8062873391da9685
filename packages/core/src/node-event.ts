import type {
  ClusterId,
  FeatureState,
  Generation,
  LogIndex,
  MemberStatus,
  NodeId,
  RejectReason,
} from '@memgrid/protocol';
import type { ElectionEvent } from './election/election-io.ts';
import type { GatewayEvent } from './gateway/gateway-io.ts';
import type { MembershipEvent } from './membership/membership-io.ts';
import type { PlannerEvent } from './planner/planner-io.ts';
import type { ReachabilityEvent } from './reachability/reachability-io.ts';
import type { ShardEvent } from './shards/shards-io.ts';

export type LinkEvent =
  | { readonly name: 'peer.connected'; readonly peer: NodeId; readonly address: string }
  | { readonly name: 'peer.disconnected'; readonly peer: NodeId; readonly address: string }
  | {
      readonly name: 'peer.rejected';
      readonly address: string;
      readonly reason: RejectReason;
      readonly detail: string;
    }
  /** A frame was refused and counted; the state did not change. */
  | {
      readonly name: 'frame.refused';
      readonly reason:
        | 'garbage'
        | 'unknownType'
        | 'wrongCluster'
        | 'wrongSource'
        | 'wrongGeneration'
        | 'outOfOrder'
        | 'unexpected';
      readonly detail: string;
    }
  | {
      readonly name: 'send.dropped';
      readonly peer: NodeId;
      readonly reason: 'pressure' | 'noLink';
    };

export type ControlEvent =
  | { readonly name: 'cluster.founded'; readonly clusterId: ClusterId; readonly members: number }
  | { readonly name: 'cluster.joined'; readonly clusterId: ClusterId }
  /** This node may not be a member; said once for each reason. */
  | { readonly name: 'registration.refused'; readonly detail: string }
  | {
      readonly name: 'founding.waiting';
      readonly known: number;
      readonly expect: number;
      readonly detail: string;
    }
  | {
      readonly name: 'registry.changed';
      readonly member: NodeId;
      readonly status: MemberStatus;
      readonly generation: Generation;
    }
  | { readonly name: 'feature.changed'; readonly feature: string; readonly state: FeatureState }
  /** Once in a cluster's life. */
  | {
      readonly name: 'shards.created';
      readonly shardCount: number;
      readonly replicationFactor: number;
    }
  | { readonly name: 'schema.defined'; readonly schema: string; readonly version: number }
  /** From now on entries are written in this version. */
  | { readonly name: 'schema.committed'; readonly schema: string; readonly version: number }
  | { readonly name: 'namespace.bound'; readonly namespace: string; readonly schema: string }
  /** `stale`: changes that another one of the same shard had overtaken. */
  | { readonly name: 'shards.assigned'; readonly changed: number; readonly stale: number }
  /** By an operator's word, shards go on without the majority that was expelled. */
  | { readonly name: 'shards.revived'; readonly count: number }
  | { readonly name: 'control.applied'; readonly index: LogIndex }
  /** A committed command that cannot be applied; every node ignores it alike. */
  | { readonly name: 'command.ignored'; readonly command: string; readonly detail: string }
  | { readonly name: 'control.caughtUp'; readonly index: LogIndex; readonly from: NodeId };

export type ClockEvent =
  | { readonly name: 'clock.remoteAhead'; readonly peer: NodeId; readonly aheadMs: number }
  | { readonly name: 'clock.suspect'; readonly suspect: boolean; readonly offsetMs: number }
  | { readonly name: 'clock.jumped'; readonly byMs: number };

export type AutopilotEvent =
  | { readonly name: 'voter.promoted'; readonly member: NodeId }
  | { readonly name: 'voter.replaced'; readonly dead: NodeId; readonly by: NodeId }
  /** A draining member gave its vote to another one. */
  | { readonly name: 'voter.relieved'; readonly member: NodeId; readonly by: NodeId }
  | { readonly name: 'learner.added'; readonly member: NodeId }
  | { readonly name: 'learner.removed'; readonly member: NodeId };

/** Everything a node tells about itself. `observe/` in the node package makes lines and metrics. */
export type NodeEvent =
  | LinkEvent
  | MembershipEvent
  | ReachabilityEvent
  | ElectionEvent
  | ControlEvent
  | ClockEvent
  | AutopilotEvent
  | PlannerEvent
  | ShardEvent
  | GatewayEvent;
