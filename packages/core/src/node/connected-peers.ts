import type { GroupEpoch, NodeId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';

interface Greeting {
  readonly address: string;
  readonly groupEpoch: GroupEpoch;
}

interface ConnectedPeer extends Greeting {
  readonly connectedAt: Instant;
  heardAt: Instant;
  /** Since when no direct probe of it was answered; undefined while they are. */
  missedSince: Instant | undefined;
}

/** Every number of the doubt in a connection, with the reason beside it. */
export const LINK_DOUBT = {
  /** Nothing at all arrived for so long. A pause of the peer's process is shorter. */
  silentMs: 6_000,
  /** Two probes this far apart went unanswered, although the peer is heard: one way is dead. */
  missedMs: 3_000,
  /** Twice as long after each vain attempt: on a path that is only slow, new links do not help. */
  missedMsMax: 60_000,
  /** Peers whose vain attempts are remembered. */
  patienceMax: 1_024,
} as const;

/** The peers of this cluster that are connected now, and what their greeting told. */
export class ConnectedPeers {
  readonly #peers = new Map<NodeId, ConnectedPeer>();
  /** For peers whose connection was given up: how long to wait before the next one is. */
  readonly #patienceMs = new Map<NodeId, number>();

  add(now: Instant, peer: NodeId, { address, groupEpoch }: Greeting): void {
    const times = { connectedAt: now, heardAt: now, missedSince: undefined };
    this.#peers.set(peer, { address, groupEpoch, ...times });
  }

  remove(peer: NodeId): void {
    this.#peers.delete(peer);
  }

  /** A message of this peer arrived: what its greeting told, unless it is not connected. */
  heard(now: Instant, peer: NodeId): Greeting | undefined {
    const connected = this.#peers.get(peer);
    if (connected !== undefined) connected.heardAt = now;
    return connected;
  }

  addressOf(peer: NodeId): string | undefined {
    return this.#peers.get(peer)?.address;
  }

  /**
   * A direct probe was answered, or was not. True when the connection is to be doubted: either
   * nothing arrives over it, or what is sent over it never arrives. Both happen to half-open
   * connections, of which TCP says nothing for minutes.
   */
  probed(now: Instant, peer: NodeId, answered: boolean): boolean {
    const connected = this.#peers.get(peer);
    if (connected === undefined) return false;
    if (answered) {
      connected.missedSince = undefined;
      this.#patienceMs.delete(peer);
      return false;
    }
    connected.missedSince ??= now;
    const patienceMs = this.#patienceMs.get(peer) ?? LINK_DOUBT.missedMs;
    if (now - connected.missedSince >= patienceMs) {
      this.#remember(peer, Math.min(2 * patienceMs, LINK_DOUBT.missedMsMax));
      return true;
    }
    return now - connected.heardAt >= LINK_DOUBT.silentMs;
  }

  #remember(peer: NodeId, patienceMs: number): void {
    this.#patienceMs.delete(peer);
    this.#patienceMs.set(peer, patienceMs);
    if (this.#patienceMs.size <= LINK_DOUBT.patienceMax) return;
    const oldest = this.#patienceMs.keys().next();
    if (oldest.done !== true) this.#patienceMs.delete(oldest.value);
  }

  /** The same for a member of the group that a leader hears three times a second, or should. */
  isGroupSilent(now: Instant, peer: NodeId, lastContactMs: number): boolean {
    const connected = this.#peers.get(peer);
    if (connected === undefined || lastContactMs < LINK_DOUBT.silentMs) return false;
    return now - connected.connectedAt >= LINK_DOUBT.silentMs;
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
