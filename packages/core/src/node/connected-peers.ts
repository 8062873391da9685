import type { GroupEpoch, NodeId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';

interface ConnectedPeer {
  readonly address: string;
  readonly groupEpoch: GroupEpoch;
  heardAt: Instant;
}

/** The peers of this cluster that are connected now, and what their greeting told. */
export class ConnectedPeers {
  readonly #peers = new Map<NodeId, ConnectedPeer>();

  add(peer: NodeId, facts: ConnectedPeer): void {
    this.#peers.set(peer, { ...facts });
  }

  remove(peer: NodeId): void {
    this.#peers.delete(peer);
  }

  /** A message of this peer arrived: what its greeting told, unless it is not connected. */
  heard(now: Instant, peer: NodeId): Omit<ConnectedPeer, 'heardAt'> | undefined {
    const connected = this.#peers.get(peer);
    if (connected !== undefined) connected.heardAt = now;
    return connected;
  }

  addressOf(peer: NodeId): string | undefined {
    return this.#peers.get(peer)?.address;
  }

  /** How long a connected peer has said nothing; undefined when it is not connected. */
  silentMs(now: Instant, peer: NodeId): number | undefined {
    const heardAt = this.#peers.get(peer)?.heardAt;
    return heardAt === undefined ? undefined : now - heardAt;
  }

  /** The latest life of the control group that a peer spoke of, and at least `own`. */
  latestGroupEpoch(own: GroupEpoch): GroupEpoch {
    let latest = own;
    for (const { groupEpoch } of this.#peers.values()) {
      if (groupEpoch > latest) latest = groupEpoch;
    }
    return latest;
  }
}
