import type { ClusterId, Generation, GroupEpoch, LogIndex, NodeId, Term } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import {
  countField,
  generationField,
  groupEpochField,
  instanceField,
  logIndexField,
  protocolVersionField,
  termField,
} from '../wire/counters.ts';
import type { Field } from '../wire/field.ts';
import { ascending, bool, bytes, choice, list, sentence, text, uint } from '../wire/field.ts';
import { clusterIdField, nodeIdField } from '../wire/id-field.ts';
import { type Extensible, extensible, extensibleUnion, struct } from '../wire/struct.ts';
import type { GroupConfig } from './election.ts';
import { groupConfigField } from './election.ts';
import { messageFields } from './message-fields.ts';
import { shardTableField } from './shard-table-field.ts';
import type { JsonObject } from '../entry/entry.ts';
import { jsonObjectField } from '../entry/json-field.ts';
import { SCHEMA_LIMITS } from '../schema/schema.ts';
import { name } from '../wire/name-field.ts';
import type { ShardConfig } from './shards.ts';

/** A member's standing, decided through the control group. */
export type MemberStatus = 'joining' | 'normal' | 'draining' | 'left' | 'expelled';

export type FeatureState = 'off' | 'allowed' | 'on';

/** What the whole cluster is declared to do, by an operator. */
export type DeclaredLevel = 'normal' | 'readOnly' | 'maintenance';

/** What a member registers about itself when it joins and whenever it starts again. */
export interface MemberRecord extends Extensible {
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
export type ControlCommand = Extensible &
  (
    | { readonly kind: 'register'; readonly member: MemberRecord }
    | { readonly kind: 'setStatus'; readonly nodeId: NodeId; readonly status: MemberStatus }
    | { readonly kind: 'setTargetVoters'; readonly count: number }
    | { readonly kind: 'setFeature'; readonly name: string; readonly state: FeatureState }
    | { readonly kind: 'setLevel'; readonly level: DeclaredLevel }
    /** Once in a cluster's life. The shards have no owners before `assignShards` gives them some. */
    | {
        readonly kind: 'createShards';
        /** A power of two. */
        readonly shardCount: number;
        /** Wanted replicas of each shard; there are fewer while there are fewer members. */
        readonly replicationFactor: number;
      }
    /**
     * New owners for some shards, each with the epoch that follows the stored one; a change with
     * any other epoch is ignored, and the others are applied all the same.
     */
    | {
        readonly kind: 'assignShards';
        /** In ascending order of shard, each shard once. */
        readonly changes: readonly ShardConfig[];
      }
    /** Adds one version of one schema: what `schemaJson` gives. The same again changes nothing. */
    | { readonly kind: 'defineSchema'; readonly definition: JsonObject }
    /** From now on writers write this version. An older one is allowed: migrations go both ways. */
    | { readonly kind: 'commitSchema'; readonly schema: string; readonly version: number }
    /** From now on entries of the namespace follow this schema. Once for a namespace. */
    | { readonly kind: 'bindNamespace'; readonly namespace: string; readonly schema: string }
    /**
     * An operator's word after a forced recovery: shards whose majority was expelled go on with the
     * replicas that are left. What only the expelled had acknowledged is lost.
     */
    | { readonly kind: 'reviveShards' }
  );

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

/** What a node without a cluster says of itself to the others that wait to found one with it. */
export interface FoundingPeer {
  /** What it would register. */
  readonly member: MemberRecord;
  readonly expect: number;
  /** Its configured seeds at which nobody has answered yet. */
  readonly unreachedSeeds: readonly string[];
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

const address = text(LIMITS.addressBytesMax);
const featureName = text(LIMITS.featureNameBytesMax);
const schemaName = name(1, SCHEMA_LIMITS.nameBytesMax);
const seeds = list(address, LIMITS.seedsMax);

export const memberRecordField: Field<MemberRecord> = extensible<MemberRecord>({
  nodeId: nodeIdField,
  generation: generationField,
  address,
  zone: text(LIMITS.zoneBytesMax),
  weight: uint(LIMITS.weightMax),
  protocolMin: protocolVersionField,
  protocolMax: protocolVersionField,
  features: ascending(featureName, LIMITS.featuresMax),
  instance: instanceField,
});

export const memberStatusField: Field<MemberStatus> = choice<MemberStatus>({
  joining: 1,
  normal: 2,
  draining: 3,
  left: 4,
  expelled: 5,
});

export const featureStateField: Field<FeatureState> = choice<FeatureState>({
  off: 1,
  allowed: 2,
  on: 3,
});

export const declaredLevelField: Field<DeclaredLevel> = choice<DeclaredLevel>({
  normal: 1,
  readOnly: 2,
  maintenance: 3,
});

export const controlCommandField: Field<ControlCommand> = extensibleUnion<ControlCommand>({
  register: { number: 1, fields: { member: memberRecordField } },
  setStatus: { number: 2, fields: { nodeId: nodeIdField, status: memberStatusField } },
  setTargetVoters: { number: 3, fields: { count: uint(LIMITS.votersMax) } },
  setFeature: { number: 4, fields: { name: featureName, state: featureStateField } },
  setLevel: { number: 5, fields: { level: declaredLevelField } },
  createShards: {
    number: 6,
    fields: { shardCount: uint(LIMITS.shardsMax), replicationFactor: uint(LIMITS.replicasMax) },
  },
  assignShards: { number: 7, fields: { changes: shardTableField } },
  defineSchema: {
    number: 8,
    fields: { definition: jsonObjectField(SCHEMA_LIMITS.schemaBytesMax) },
  },
  commitSchema: {
    number: 9,
    fields: { schema: schemaName, version: uint(SCHEMA_LIMITS.versionsMax) },
  },
  bindNamespace: {
    number: 10,
    fields: { namespace: name(1, LIMITS.namespaceBytesMax), schema: schemaName },
  },
  reviveShards: { number: 11, fields: {} },
});

export const foundingPlanField: Field<FoundingPlan> = struct<FoundingPlan>({
  clusterId: clusterIdField,
  founder: nodeIdField,
  attempt: countField,
  members: list(memberRecordField, LIMITS.foundingPeersMax),
  config: groupConfigField,
  targetVoters: uint(LIMITS.votersMax),
});

const committedCommand = struct<CommittedCommand>({
  index: logIndexField,
  term: termField,
  command: bytes(1, LIMITS.commandBytesMax),
});

const foundingPeer = struct<FoundingPeer>({
  member: memberRecordField,
  expect: uint(LIMITS.foundingPeersMax),
  unreachedSeeds: seeds,
});

export const controlFields = messageFields<ControlMessage>({
  configPull: { groupEpoch: groupEpochField, after: logIndexField },
  configDelta: {
    groupEpoch: groupEpochField,
    from: logIndexField,
    to: logIndexField,
    commands: list(committedCommand, LIMITS.deltaCommandsMax),
  },
  configSnapshot: {
    groupEpoch: groupEpochField,
    index: logIndexField,
    term: termField,
    offset: countField,
    totalBytes: countField,
    bytes: bytes(0, LIMITS.snapshotChunkBytesMax),
  },
  epochNack: { shard: countField, current: countField },
  discover: { peers: list(foundingPeer, LIMITS.foundingPeersMax) },
  foundRequest: { plan: foundingPlanField },
  foundResp: {
    clusterId: clusterIdField,
    promised: bool,
    detail: sentence(LIMITS.detailBytesMax),
  },
  foundCommit: { plan: foundingPlanField },
});
