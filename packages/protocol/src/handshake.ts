import { type ClusterId, type Generation, type GroupEpoch, type NodeId, shortId } from './ids.ts';
import type { Hello, HelloAck, Reject, RejectReason } from './messages/handshake.ts';

/** What a node says about itself in a handshake. */
export interface HandshakeSelf {
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly features: readonly string[];
  readonly clusterId: ClusterId | undefined;
  readonly groupEpoch: GroupEpoch;
  readonly nodeId: NodeId;
  readonly generation: Generation;
  readonly instance: number;
  readonly address: string;
}

/** What a node knows about others when one of them calls. */
export interface HandshakeKnowledge {
  /** The newest generation of a node that was ever seen, or undefined. */
  newestGeneration(nodeId: NodeId): Generation | undefined;
  /**
   * The process start that this generation of the node belongs to, when known. Two processes on
   * copies of one directory reach the same generation, and only this tells them apart.
   */
  instanceOf(nodeId: NodeId, generation: Generation): number | undefined;
  expelled(nodeId: NodeId): boolean;
}

export type HelloAnswer =
  | { readonly kind: 'accept'; readonly ack: HelloAck }
  | { readonly kind: 'reject'; readonly reject: Reject };

export type HelloAckCheck =
  | { readonly kind: 'accept'; readonly version: number; readonly features: readonly string[] }
  | { readonly kind: 'reject'; readonly reject: Reject };

/**
 * The accepting side: whether to speak with the caller, and in which version.
 *
 * A node without a cluster and a node with one may speak: that is how the first finds its cluster.
 */
export function answerHello(
  hello: Hello,
  self: HandshakeSelf,
  knowledge: HandshakeKnowledge,
): HelloAnswer {
  const reject = peerProblem(hello, self, knowledge);
  if (reject !== undefined) return { kind: 'reject', reject };
  const version = Math.min(hello.protocolMax, self.protocolMax);
  if (version < Math.max(hello.protocolMin, self.protocolMin)) {
    return { kind: 'reject', reject: noCommonVersion(hello, self) };
  }
  const ack: HelloAck = {
    type: 'helloAck',
    version,
    features: commonFeatures(hello.features, self.features),
    clusterId: self.clusterId,
    groupEpoch: self.groupEpoch,
    nodeId: self.nodeId,
    generation: self.generation,
    instance: self.instance,
    address: self.address,
  };
  return { kind: 'accept', ack };
}

/** The dialling side: whether the answer may be believed, and what was agreed. */
export function checkHelloAck(
  ack: HelloAck,
  self: HandshakeSelf,
  knowledge: HandshakeKnowledge,
): HelloAckCheck {
  const reject = peerProblem(ack, self, knowledge) ?? choiceProblem(ack, self);
  if (reject !== undefined) return { kind: 'reject', reject };
  return { kind: 'accept', version: ack.version, features: ack.features };
}

/** In both directions, sorted and each name once. */
function commonFeatures(ours: readonly string[], theirs: readonly string[]): readonly string[] {
  const offered = new Set(theirs);
  return [...new Set(ours)].filter((name) => offered.has(name)).sort();
}

type Peer = Pick<Hello, 'nodeId' | 'generation' | 'instance' | 'clusterId'>;

/** Everything that is wrong with a peer whichever side called, most telling reason first. */
function peerProblem(
  peer: Peer,
  self: HandshakeSelf,
  knowledge: HandshakeKnowledge,
): Reject | undefined {
  const name = shortId(peer.nodeId);
  if (peer.nodeId === self.nodeId) {
    return peer.instance === self.instance
      ? rejection('self', `Node ${name} reached itself.`)
      : rejection('identityInUse', cloned(name, peer, self));
  }
  const { clusterId } = self;
  if (clusterId !== undefined && peer.clusterId !== undefined && clusterId !== peer.clusterId) {
    return rejection(
      'wrongCluster',
      `Node ${name} is in cluster ${shortId(peer.clusterId)}, ` +
        `node ${shortId(self.nodeId)} is in cluster ${shortId(clusterId)}.`,
    );
  }
  if (knowledge.expelled(peer.nodeId)) {
    return rejection(
      'expelled',
      `Node ${name} was expelled from the cluster; empty its data directory to join again.`,
    );
  }
  const newest = knowledge.newestGeneration(peer.nodeId);
  if (newest !== undefined && peer.generation < newest) {
    return rejection(
      'staleGeneration',
      `Node ${name} calls with generation ${peer.generation}, but ${newest} is known already.`,
    );
  }
  const instance = knowledge.instanceOf(peer.nodeId, peer.generation);
  if (instance !== undefined && instance !== peer.instance) {
    return rejection(
      'identityInUse',
      cloned(name, peer, { generation: peer.generation, instance }),
    );
  }
  return undefined;
}

type Start = Pick<Hello, 'generation' | 'instance'>;

function cloned(name: string, a: Start, b: Start): string {
  return (
    `Two processes run as node ${name}: generation ${a.generation} with instance ${a.instance}, ` +
    `and generation ${b.generation} with instance ${b.instance}. One has a copied data directory.`
  );
}

/** What the accepting side chose must be something that was offered to it. */
function choiceProblem(ack: HelloAck, self: HandshakeSelf): Reject | undefined {
  if (ack.version < self.protocolMin || ack.version > self.protocolMax) {
    return rejection(
      'protocolMismatch',
      `Node ${shortId(ack.nodeId)} chose protocol ${ack.version}, ` +
        `but was offered ${self.protocolMin} to ${self.protocolMax}.`,
    );
  }
  const stranger = ack.features.find((name) => !self.features.includes(name));
  if (stranger !== undefined) {
    return rejection(
      'badMessage',
      `Node ${shortId(ack.nodeId)} chose feature "${stranger}", which was not offered.`,
    );
  }
  return undefined;
}

function noCommonVersion(hello: Hello, self: HandshakeSelf): Reject {
  return rejection(
    'protocolMismatch',
    `Node ${shortId(hello.nodeId)} speaks protocol ${hello.protocolMin} to ${hello.protocolMax}, ` +
      `node ${shortId(self.nodeId)} speaks ${self.protocolMin} to ${self.protocolMax}.`,
  );
}

function rejection(reason: RejectReason, detail: string): Reject {
  return { type: 'reject', reason, detail };
}
