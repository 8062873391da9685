import type { ClusterId, Generation, GroupEpoch, NodeId } from '@memgrid/protocol';
import { cluster32 } from '../links/envelope-checks.ts';

/** A connected peer, as its handshake and its messages show it. */
export interface PeerFacts {
  readonly peer: NodeId;
  readonly generation: Generation;
  readonly address: string;
  readonly groupEpoch: GroupEpoch;
  readonly clusterId: ClusterId | undefined;
}

interface Entry {
  readonly facts: PeerFacts;
  /** The cluster that its handshake, or its latest message, was for. 0 for none. */
  cluster32: number;
  announced: boolean;
  /** Our own greeting on this connection named our cluster. */
  readonly greeted: boolean;
  planPassedOn: boolean;
}

/**
 * Who is connected, and which of them are known to be of this node's cluster.
 *
 * A founder connects while it has no cluster yet; only its later messages show that it has one. The
 * first message that does makes it a peer for the cluster machine, once per connection.
 */
export class PeerBook {
  readonly #entries = new Map<NodeId, Entry>();

  /** @param own the cluster that this node named in its greeting, if any. */
  add(facts: PeerFacts, own: ClusterId | undefined): void {
    this.#entries.set(facts.peer, {
      facts,
      cluster32: cluster32(facts.clusterId),
      announced: false,
      greeted: own !== undefined,
      planPassedOn: false,
    });
  }

  remove(peer: NodeId): void {
    this.#entries.delete(peer);
  }

  peers(): readonly NodeId[] {
    return [...this.#entries.keys()];
  }

  /** Connected peers whose greeting named a cluster. */
  withCluster(): readonly PeerFacts[] {
    return [...this.#entries.values()]
      .map(({ facts }) => facts)
      .filter((facts) => facts.clusterId !== undefined);
  }

  /** Where a connected peer accepts connections; '' when it is not connected. */
  addressOf(peer: NodeId): string {
    return this.#entries.get(peer)?.facts.address ?? '';
  }

  /** A message of this peer was sent for that cluster. */
  spokeFor(peer: NodeId, spoken32: number): void {
    const entry = this.#entries.get(peer);
    if (entry !== undefined && spoken32 !== 0) entry.cluster32 = spoken32;
  }

  /** Whether `takeNewcomer` has given this peer out on its present connection. */
  isAnnounced(peer: NodeId): boolean {
    return this.#entries.get(peer)?.announced === true;
  }

  /** A connected peer that cannot know of this node's cluster from the greeting. */
  isUninformed(peer: NodeId): boolean {
    return this.#entries.get(peer)?.greeted === false;
  }

  /** True once a connection: whether the plan is worth sending (again). */
  takePlanHint(peer: NodeId): boolean {
    const entry = this.#entries.get(peer);
    if (entry === undefined || entry.planPassedOn) return false;
    entry.planPassedOn = true;
    return true;
  }

  /** The peer, when it is of cluster `own` and was not taken before. */
  takeNewcomer(peer: NodeId, own: ClusterId | undefined): PeerFacts | undefined {
    const entry = this.#entries.get(peer);
    if (entry === undefined || entry.announced || own === undefined) return undefined;
    if (entry.cluster32 !== cluster32(own)) return undefined;
    entry.announced = true;
    return entry.facts;
  }
}
