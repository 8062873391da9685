import type { NodeId } from '@memgrid/protocol';
import type { PeerState } from './link-state.ts';

/** The links of each peer and what waits for them. Holds nothing about peers that have neither. */
export class PeerTable {
  readonly #peers = new Map<NodeId, PeerState>();

  get size(): number {
    return this.#peers.size;
  }

  get(peer: NodeId): PeerState | undefined {
    return this.#peers.get(peer);
  }

  /** The peer's state, made when there is none. */
  of(peer: NodeId): PeerState {
    let state = this.#peers.get(peer);
    if (state === undefined) {
      state = { control: undefined, bulk: undefined, waiting: [], heavy: [] };
      this.#peers.set(peer, state);
    }
    return state;
  }

  isConnected(peer: NodeId): boolean {
    return this.#peers.get(peer)?.control !== undefined;
  }

  /** Peers with a control link, sorted. */
  connected(): readonly NodeId[] {
    const connected: NodeId[] = [];
    for (const [peer, state] of this.#peers) if (state.control !== undefined) connected.push(peer);
    return connected.sort();
  }

  /** Whether a peer other than `peer` is connected from `address`. */
  isTakenFrom(peer: NodeId, address: string): boolean {
    for (const [other, { control }] of this.#peers) {
      if (other !== peer && control?.address === address) return true;
    }
    return false;
  }

  /** Forgets the peer when it has neither a link nor anything that waits for one. */
  forgetIfIdle(peer: NodeId): void {
    const state = this.#peers.get(peer);
    if (state === undefined || state.control !== undefined || state.bulk !== undefined) return;
    if (state.waiting.length === 0) this.#peers.delete(peer);
  }

  remove(peer: NodeId): void {
    this.#peers.delete(peer);
  }

  clear(): void {
    this.#peers.clear();
  }
}
