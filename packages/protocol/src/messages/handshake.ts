import type { ClusterId, Generation, GroupEpoch, NodeId } from '../ids.ts';

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
