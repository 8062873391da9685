import type { ClusterId, Generation, GroupEpoch, NodeId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import {
  generationField,
  groupEpochField,
  instanceField,
  protocolVersionField,
} from '../wire/counters.ts';
import { choice, list, optional, sentence, text } from '../wire/field.ts';
import { clusterIdField, nodeIdField } from '../wire/id-field.ts';
import { messageFields } from './message-fields.ts';

/** What a connection carries. Two per live pair of peers, so bulk never delays a heartbeat. */
export type Channel = 'control' | 'bulk';

/** The first message on every connection, sent by the dialling side. */
export interface Hello {
  readonly type: 'hello';
  readonly channel: Channel;
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly features: readonly string[];
  /** Undefined while the sender belongs to no cluster yet. */
  readonly clusterId: ClusterId | undefined;
  readonly groupEpoch: GroupEpoch;
  readonly nodeId: NodeId;
  readonly generation: Generation;
  /** Random for each process start: tells a restarted node from a cloned data directory. */
  readonly instance: number;
  /** Where the sender accepts peers: `host:port`. */
  readonly address: string;
}

/** The accepting side's answer: the same facts about itself, and what was chosen. */
export interface HelloAck {
  readonly type: 'helloAck';
  /** The highest protocol version both sides speak. */
  readonly version: number;
  /** The features both sides have, sorted. */
  readonly features: readonly string[];
  readonly clusterId: ClusterId | undefined;
  readonly groupEpoch: GroupEpoch;
  readonly nodeId: NodeId;
  readonly generation: Generation;
  readonly instance: number;
  readonly address: string;
}

export type RejectReason =
  /** The dialler reached itself. */
  | 'self'
  | 'wrongCluster'
  | 'protocolMismatch'
  /** Another live process runs with this node id: a cloned data directory. */
  | 'identityInUse'
  /** The peer knows a newer generation of this node id. */
  | 'staleGeneration'
  /** The cluster expelled this node id; the directory must be emptied to join again. */
  | 'expelled'
  /** The peer already has a better connection to this node. */
  | 'duplicate'
  | 'shuttingDown'
  | 'badMessage';

/** Ends a handshake. The sender closes the connection after it. */
export interface Reject {
  readonly type: 'reject';
  readonly reason: RejectReason;
  /** A sentence with the values in it. */
  readonly detail: string;
}

/** The last message on a connection that is closed on purpose. */
export interface Bye {
  readonly type: 'bye';
  readonly reason: string;
}

/** The answer to a message whose `targetGeneration` is not the receiver's own. */
export interface WrongGeneration {
  readonly type: 'wrongGeneration';
  readonly generation: Generation;
}

export type HandshakeMessage = Hello | HelloAck | Reject | Bye | WrongGeneration;

const features = list(text(LIMITS.featureNameBytesMax), LIMITS.featuresMax);
const address = text(LIMITS.addressBytesMax);

export const handshakeFields = messageFields<HandshakeMessage>({
  hello: {
    channel: choice<Channel>({ control: 1, bulk: 2 }),
    protocolMin: protocolVersionField,
    protocolMax: protocolVersionField,
    features,
    clusterId: optional(clusterIdField),
    groupEpoch: groupEpochField,
    nodeId: nodeIdField,
    generation: generationField,
    instance: instanceField,
    address,
  },
  helloAck: {
    version: protocolVersionField,
    features,
    clusterId: optional(clusterIdField),
    groupEpoch: groupEpochField,
    nodeId: nodeIdField,
    generation: generationField,
    instance: instanceField,
    address,
  },
  reject: {
    reason: choice<RejectReason>({
      self: 1,
      wrongCluster: 2,
      protocolMismatch: 3,
      identityInUse: 4,
      staleGeneration: 5,
      expelled: 6,
      duplicate: 7,
      shuttingDown: 8,
      badMessage: 9,
    }),
    detail: sentence(LIMITS.detailBytesMax),
  },
  bye: { reason: sentence(LIMITS.detailBytesMax) },
  wrongGeneration: { generation: generationField },
});
