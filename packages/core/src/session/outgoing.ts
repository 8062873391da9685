import { LIMITS } from '@memgrid/protocol';
import type { Operation } from '@memgrid/protocol';
import { operationWeight } from '../gateway/message-weight.ts';
import type { Connections } from './connections.ts';
import type { Peer } from './peer.ts';

/** Half of what a message may hold: the estimate is never below the truth, and often above. */
const MESSAGE_BYTES_MAX = LIMITS.operationsBytesMax / 2;

/** Operations of one step, so that each node gets as few messages as the limits allow. */
export class Outgoing {
  readonly #connections: Connections;
  readonly #peers = new Set<Peer>();

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  add(peer: Peer, operation: Operation): void {
    if (peer.outgoing.length === 0) this.#peers.add(peer);
    peer.outgoing.push(operation);
  }

  flush(): void {
    if (this.#peers.size === 0) return;
    for (const peer of this.#peers) {
      const { outgoing } = peer;
      peer.outgoing = [];
      // A leaving node still answers; of one that is gone the calls have gone elsewhere already.
      if (peer.isConnected && outgoing.length > 0) this.#sendAll(peer, outgoing);
    }
    this.#peers.clear();
  }

  #sendAll(peer: Peer, operations: readonly Operation[]): void {
    let first = 0;
    let bytes = 0;
    for (let at = 0; at < operations.length; at += 1) {
      const size = operationWeight(operations[at] as Operation);
      if (at > first && (at - first >= LIMITS.operationsMax || bytes + size > MESSAGE_BYTES_MAX)) {
        this.#sendSome(peer, operations.slice(first, at));
        first = at;
        bytes = 0;
      }
      bytes += size;
    }
    this.#sendSome(peer, first === 0 ? operations : operations.slice(first));
  }

  #sendSome(peer: Peer, operations: readonly Operation[]): void {
    this.#connections.send(peer, { type: 'operations', operations });
  }
}
