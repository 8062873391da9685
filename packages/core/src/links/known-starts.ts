import type { Generation, HandshakeKnowledge, NodeId } from '@memgrid/protocol';
import { LINKS } from './links-io.ts';

/** One process start of a node. */
interface Start {
  readonly generation: Generation;
  readonly instance: number;
}

/** The newest start of every node that shook hands, so that an older one is turned away. */
export class KnownStarts implements HandshakeKnowledge {
  readonly #starts = new Map<NodeId, Start>();
  #expelled: ReadonlySet<NodeId> = new Set();

  /** The number of nodes that are remembered. */
  get count(): number {
    return this.#starts.size;
  }

  newestGeneration(peer: NodeId): Generation | undefined {
    return this.#starts.get(peer)?.generation;
  }

  instanceOf(peer: NodeId, generation: Generation): number | undefined {
    const known = this.#starts.get(peer);
    return known?.generation === generation ? known.instance : undefined;
  }

  expelled(peer: NodeId): boolean {
    return this.#expelled.has(peer);
  }

  note(peer: NodeId, { generation, instance }: Start): void {
    // Re-inserting keeps the map in order of last handshake, so the oldest is the first.
    this.#starts.delete(peer);
    this.#starts.set(peer, { generation, instance });
    if (this.#starts.size <= LINKS.knownStartsMax) return;
    const oldest = this.#starts.keys().next();
    if (oldest.done !== true) this.#starts.delete(oldest.value);
  }

  expel(peers: readonly NodeId[]): void {
    this.#expelled = new Set(peers);
  }
}
