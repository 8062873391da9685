import type { ClusterId, Generation, GroupEpoch, LogIndex, NodeId, Term } from '../ids.ts';
import type { GroupConfig } from './election.ts';

/** A member's standing, decided through the control group. */
export type MemberStatus = 'joining' | 'normal' | 'draining' | 'left' | 'expelled';

export type FeatureState = 'off' | 'allowed' | 'on';

/** What the whole cluster is declared to do, by an operator. */
export type DeclaredLevel = 'normal' | 'readOnly' | 'maintenance';

/** What a member registers about itself when it joins and whenever it starts again. */
export interface MemberRecord {
  readonly nodeId: NodeId;
  readonly generation: Generation;
  readonly address: string;
  readonly zone: string;
  readonly weight: number;
  readonly protocolMin: number;
  readonly protocolMax: number;
  /** Features its binary has. Sorted. */
  readonly features: readonly string[];
  /** The process start that registered: see `Hello.instance`. */
  readonly instance: number;
}

/** One change of the control state. Pure data; applied in log order by every node. */
export type ControlCommand =
  | { readonly kind: 'register'; readonly member: MemberRecord }
  | { readonly kind: 'setStatus'; readonly nodeId: NodeId; readonly status: MemberStatus }
  | { readonly kind: 'setTargetVoters'; readonly count: number }
  | { readonly kind: 'setFeature'; readonly name: string; readonly state: FeatureState }
  | { readonly kind: 'setLevel'; readonly level: DeclaredLevel };

/** A committed command with its place in the log. */
export interface CommittedCommand {
  readonly index: LogIndex;
  readonly term: Term;
  readonly command: Uint8Array;
}

/** Asks a peer with a higher applied index for what came after `after`. */
export interface ConfigPull {
  readonly type: 'configPull';
  readonly groupEpoch: GroupEpoch;
  readonly after: LogIndex;
}

/** Committed commands with index in (from, to]; other entries in that range change no state. */
export interface ConfigDelta {
  readonly type: 'configDelta';
  readonly groupEpoch: GroupEpoch;
  readonly from: LogIndex;
  readonly to: LogIndex;
  readonly commands: readonly CommittedCommand[];
}

/** The whole control state, when the log no longer reaches back far enough. */
export interface ConfigSnapshot {
  readonly type: 'configSnapshot';
  readonly groupEpoch: GroupEpoch;
  readonly index: LogIndex;
  readonly term: Term;
  readonly offset: number;
  readonly totalBytes: number;
  readonly bytes: Uint8Array;
}

/** A request carried an ownership epoch that is no longer the current one. */
export interface EpochNack {
  readonly type: 'epochNack';
  readonly shard: number;
  readonly current: number;
}

/** What an unfounded node knows of the others that wait to found a cluster with it. */
export interface FoundingPeer {
  readonly nodeId: NodeId;
  readonly address: string;
  readonly zone: string;
  readonly expect: number;
  /** The configured seeds of that node. */
  readonly seeds: readonly string[];
  /** Seeds that turned out to be the node itself. */
  readonly ownSeeds: readonly string[];
}

/** Exchanged by nodes without a cluster until everybody knows everybody. */
export interface Discover {
  readonly type: 'discover';
  readonly peers: readonly FoundingPeer[];
}

/** What is founded: identical at every founder, so that all start from the same first state. */
export interface FoundingPlan {
  readonly clusterId: ClusterId;
  readonly founder: NodeId;
  /** Raised by the founder for each plan it makes; durable at the founder before it is sent. */
  readonly attempt: number;
  readonly members: readonly MemberRecord[];
  readonly config: GroupConfig;
  readonly targetVoters: number;
}

/** The founder asks every member of the plan to promise that it will found nothing else. */
export interface FoundRequest {
  readonly type: 'foundRequest';
  readonly plan: FoundingPlan;
}

export interface FoundResp {
  readonly type: 'foundResp';
  readonly clusterId: ClusterId;
  readonly promised: boolean;
  /** When refused: why. */
  readonly detail: string;
}

/** Everybody promised: the cluster exists. */
export interface FoundCommit {
  readonly type: 'foundCommit';
  readonly plan: FoundingPlan;
}

export type ControlMessage =
  | ConfigPull
  | ConfigDelta
  | ConfigSnapshot
  | EpochNack
  | Discover
  | FoundRequest
  | FoundResp
  | FoundCommit;
