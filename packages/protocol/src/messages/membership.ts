import type { ClusterId, Generation, Incarnation, LogIndex, NodeId, Term } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import {
  countField,
  generationField,
  incarnationField,
  logIndexField,
  protocolVersionField,
  termField,
} from '../wire/counters.ts';
import type { Field } from '../wire/field.ts';
import {
  bool,
  bytes,
  choice,
  list,
  measured,
  optional,
  text,
  uint,
  within,
} from '../wire/field.ts';
import { clusterIdField, nodeIdField } from '../wire/id-field.ts';
import { type Extensible, extensible, struct } from '../wire/struct.ts';
import { messageFields } from './message-fields.ts';

/** A member's liveness as gossip sees it. A hint: it changes routing, never ownership. */
export type Liveness = 'alive' | 'suspect' | 'dead' | 'left';

/** What a node tells everybody about itself: at most `LIMITS.memberMetaBytesMax` when encoded. */
export interface MemberMeta extends Extensible {
  /** Where it accepts peers: `host:port`. */
  readonly address: string;
  /** Where its admin HTTP listens, `host:port`, or '' when it has none. */
  readonly httpAddress: string;
  /** Members in one zone may fail together. '' when not configured. */
  readonly zone: string;
  /** Relative capacity; 100 is an ordinary node. */
  readonly weight: number;
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly features: readonly string[];
  /** Half of SHA-256 of the key that signs this member's leave (16 bytes). */
  readonly leaveLock: Uint8Array;
  readonly clusterId: ClusterId | undefined;
  readonly raftTerm: Term;
  readonly raftLeader: NodeId | undefined;
  readonly raftCommit: LogIndex;
  readonly loopLagP99Ms: number;
  /** Used share of the heap limit, 0 to 100. */
  readonly heapPercent: number;
  readonly clockOffsetMs: number;
  /** True while this node's wall clock is so far off that it may not coordinate writes. */
  readonly clockSuspect: boolean;
}

/** One rumour about one member. Ordered by (generation, incarnation, severity). */
export interface MemberUpdate extends Extensible {
  readonly nodeId: NodeId;
  readonly generation: Generation;
  readonly incarnation: Incarnation;
  readonly liveness: Liveness;
  /** Who says so: the accuser for suspect and dead, the member itself for alive and left. */
  readonly by: NodeId;
  /** Present on alive (and on suspect and dead when known, so that newcomers can dial). */
  readonly meta: MemberMeta | undefined;
  /** Present on left only: the key that `meta.leaveLock` was made from (16 bytes). */
  readonly leaveKey: Uint8Array | undefined;
}

export interface Ping {
  readonly type: 'ping';
  readonly probe: number;
  readonly updates: readonly MemberUpdate[];
}

export interface Ack {
  readonly type: 'ack';
  readonly probe: number;
  /** How long the sender's event loop stood still just before this answer; 0 when it did not. */
  readonly stalledMs: number;
  readonly updates: readonly MemberUpdate[];
}

/** Asks a helper to probe `target` for the sender. */
export interface PingReq {
  readonly type: 'pingReq';
  readonly probe: number;
  readonly target: NodeId;
  readonly targetAddress: string;
  readonly updates: readonly MemberUpdate[];
}

/** A helper reached the target. */
export interface IndirectAck {
  readonly type: 'indirectAck';
  readonly probe: number;
  readonly target: NodeId;
  readonly updates: readonly MemberUpdate[];
}

/** A helper did not reach the target in time, but the helper itself is fine. */
export interface Nack {
  readonly type: 'nack';
  readonly probe: number;
  readonly target: NodeId;
}

export interface Gossip {
  readonly type: 'gossip';
  readonly updates: readonly MemberUpdate[];
}

/** A summary of a member table: equal digests mean equal tables (up to hash collisions). */
export interface MemberDigest {
  readonly count: number;
  /** XOR of a hash of each member's (id, generation, incarnation, liveness): two uint32 lanes. */
  readonly hashHigh: number;
  readonly hashLow: number;
}

/** Opens an exchange with the digest only; the answer carries the whole table on a mismatch. */
export interface PushPullReq {
  readonly type: 'pushPullReq';
  readonly exchange: number;
  readonly digest: MemberDigest;
}

/** `wanted` asks the other side to send its table as well. Large tables come in several parts. */
export interface PushPullResp {
  readonly type: 'pushPullResp';
  readonly exchange: number;
  readonly digest: MemberDigest;
  readonly wanted: boolean;
  readonly updates: readonly MemberUpdate[];
}

/** The operating system refused a connection to the target's address: nobody listens there. */
export interface Refused {
  readonly type: 'refused';
  readonly target: NodeId;
  readonly generation: Generation;
}

export type MembershipMessage =
  | Ping
  | Ack
  | PingReq
  | IndirectAck
  | Nack
  | Gossip
  | PushPullReq
  | PushPullResp
  | Refused;

const key = bytes(16, 16);
const address = text(LIMITS.addressBytesMax);

/** A day: a clock or a loop that is further off is not told apart from one that is a day off. */
const DAY_MS = 86_400_000;

export const memberMetaField: Field<MemberMeta> = within(
  extensible<MemberMeta>({
    address,
    httpAddress: address,
    zone: text(LIMITS.zoneBytesMax),
    weight: uint(LIMITS.weightMax),
    protocolMin: protocolVersionField,
    protocolMax: protocolVersionField,
    features: list(text(LIMITS.featureNameBytesMax), LIMITS.featuresMax),
    leaveLock: key,
    clusterId: optional(clusterIdField),
    raftTerm: termField,
    raftLeader: optional(nodeIdField),
    raftCommit: logIndexField,
    loopLagP99Ms: measured(0, DAY_MS),
    heapPercent: measured(0, 100),
    clockOffsetMs: measured(-DAY_MS, DAY_MS),
    clockSuspect: bool,
  }),
  LIMITS.memberMetaBytesMax,
);

export const memberUpdateField: Field<MemberUpdate> = extensible<MemberUpdate>({
  nodeId: nodeIdField,
  generation: generationField,
  incarnation: incarnationField,
  liveness: choice<Liveness>({ alive: 1, suspect: 2, dead: 3, left: 4 }),
  by: nodeIdField,
  meta: optional(memberMetaField),
  leaveKey: optional(key),
});

/** The exact encoded length of a member's metadata, without encoding it. */
export function memberMetaBytes(meta: MemberMeta): number {
  return memberMetaField.bytes(meta);
}

/** The exact encoded length of one rumour, without encoding it. */
export function memberUpdateBytes(update: MemberUpdate): number {
  return memberUpdateField.bytes(update);
}

const updates = list(memberUpdateField, LIMITS.memberUpdatesMax);
const lane = uint(0xffffffff);
const digest = struct<MemberDigest>({ count: countField, hashHigh: lane, hashLow: lane });

export const membershipFields = messageFields<MembershipMessage>({
  ping: { probe: countField, updates },
  ack: { probe: countField, stalledMs: measured(0, DAY_MS), updates },
  pingReq: { probe: countField, target: nodeIdField, targetAddress: address, updates },
  indirectAck: { probe: countField, target: nodeIdField, updates },
  nack: { probe: countField, target: nodeIdField },
  gossip: { updates },
  pushPullReq: { exchange: countField, digest },
  pushPullResp: { exchange: countField, digest, wanted: bool, updates },
  refused: { target: nodeIdField, generation: generationField },
});
