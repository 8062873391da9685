import type {
  ClusterId,
  DeclaredLevel,
  FeatureState,
  Generation,
  GroupEpoch,
  LogIndex,
  MemberRecord,
  MemberStatus,
  NodeId,
  ReachabilityRow,
  ShardConfig,
  Timestamp,
} from '@memgrid/protocol';
import type { ElectionStatus, ProgressView } from './election/election-io.ts';
import type { MemberView } from './membership/membership-io.ts';
import type { SchemaRegistryImage } from './schema-registry/schema-registry.ts';
import type { MoveProgress } from './planner/progress.ts';
import type { ShardStatus, ShardTotals } from './shards/shards-io.ts';

/** How far a node is. */
export type NodePhase =
  /** Its generation is not durable yet: no packet has left. */
  | 'starting'
  /** It knows no cluster: it looks for the others, to found one or to join one. */
  | 'discovering'
  /** It knows its cluster and waits to be registered in it. */
  | 'joining'
  | 'member'
  | 'leaving'
  | 'halted';

export interface RegisteredMember extends MemberRecord {
  readonly status: MemberStatus;
}

/** The committed control state as this node has applied it. */
export interface ControlView {
  readonly clusterId: ClusterId;
  readonly groupEpoch: GroupEpoch;
  /** The last applied log index. */
  readonly index: LogIndex;
  /** Sorted by node id. */
  readonly members: readonly RegisteredMember[];
  readonly targetVoters: number;
  readonly features: Readonly<Record<string, FeatureState>>;
  readonly level: DeclaredLevel;
  /** 0 until the shards are created; never changes afterwards. */
  readonly shardCount: number;
  readonly replicationFactor: number;
  /** In order of shard; empty until they are created. */
  readonly shards: readonly ShardConfig[];
  /** What was defined besides the built-in schema. */
  readonly schemas: SchemaRegistryImage;
}

/** Everything a status page, a metric or a checker may want to know. A snapshot, never live. */
export interface NodeStatus {
  readonly nodeId: NodeId;
  readonly generation: Generation;
  readonly phase: NodePhase;
  readonly clusterId: ClusterId | undefined;
  readonly address: string;
  readonly httpAddress: string;
  /** Why there is no cluster, no coordinator or no membership, in a sentence. */
  readonly waitingFor: string | undefined;
  /** Undefined until the node belongs to a cluster. */
  readonly control: ControlView | undefined;
  /** Undefined unless this node is in the control group. */
  readonly election: ElectionStatus | undefined;
  /** The coordinator as far as this node knows (its own election machine, else gossip). */
  readonly coordinator: NodeId | undefined;
  /** At the coordinator only. */
  readonly progress: readonly ProgressView[];
  /** Itself included, sorted by node id. */
  readonly members: readonly MemberView[];
  readonly rows: readonly ReachabilityRow[];
  /** 0 (well) to 7: how much this node doubts itself (Lifeguard). */
  readonly healthScore: number;
  /** Those that this node holds, in order of shard. */
  readonly shards: readonly ShardStatus[];
  readonly shardTotals: ShardTotals;
  /** Bytes of the shards' logs in memory. */
  readonly logBytes: number;
  /** Bytes of the outcomes of operations that its shards remember. */
  readonly operationBytes: number;
  /** Operations that wait for an answer in this node. */
  readonly waitingOperations: number;
  /** The moves of shards under way, and how many wait; at the coordinator only. */
  readonly moves: (MoveProgress & { readonly waiting: number }) | undefined;
  /** Connected clients that have introduced themselves, and the feeds that they opened. */
  readonly clients: { readonly count: number; readonly feeds: number };
  readonly connectedPeers: readonly NodeId[];
  readonly clock: {
    readonly timestamp: Timestamp;
    readonly suspect: boolean;
    readonly remoteAheadCount: number;
  };
}
