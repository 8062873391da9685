import type { NodeId } from '@memgrid/protocol';
import { after, type Instant } from '../machine.ts';

/** How often seeds are tried. The links back off further from addresses that fail. */
const SEARCH = {
  /** While there is no cluster: a laptop's cluster should be up in a second. */
  aloneMs: 250,
  /** While fewer than half of the registered members are connected. */
  isolatedMs: 10_000,
} as const;

export interface Surroundings {
  readonly inCluster: boolean;
  /** Registered members besides this node, and how many of them are connected. */
  readonly others: number;
  readonly connected: number;
}

/** Decides when to knock at which configured seed. */
export class SeedSearch {
  readonly #seeds: readonly string[];
  /** Seeds that answered, and who did; undefined when a peer did not say who it is. */
  readonly #reached = new Map<string, NodeId | undefined>();
  #dueAt: Instant | undefined;

  constructor(seeds: readonly string[]) {
    this.#seeds = seeds;
  }

  /** Undefined before `begin`. */
  get wakeAt(): Instant | undefined {
    return this.#dueAt;
  }

  begin(now: Instant): void {
    this.#dueAt = now;
  }

  /** Somebody answered at `address`. True when it is a seed. */
  reached(address: string, peer: NodeId | undefined): boolean {
    const isSeed = this.#seeds.includes(address);
    if (isSeed) this.#reached.set(address, peer ?? this.#reached.get(address));
    return isSeed;
  }

  /** Whether this peer was met at a seed, or may have been: one seed did not say who it is. */
  isSeed(peer: NodeId, address: string): boolean {
    if (this.#seeds.includes(address)) return true;
    for (const owner of this.#reached.values()) {
      if (owner === undefined || owner === peer) return true;
    }
    return false;
  }

  /**
   * The connection to `peer` is gone: which seeds have to answer again. One that did not say who it
   * is may be this peer.
   */
  lost(peer: NodeId): readonly string[] {
    const lost: string[] = [];
    for (const [seed, owner] of this.#reached) {
      if (owner === undefined || owner === peer) lost.push(seed);
    }
    for (const seed of lost) this.#reached.delete(seed);
    return lost;
  }

  /** The seeds to try now; none before it is time. */
  take(now: Instant, surroundings: Surroundings): readonly string[] {
    if (this.#dueAt === undefined || this.#dueAt > now) return [];
    this.#dueAt = after(now, surroundings.inCluster ? SEARCH.isolatedMs : SEARCH.aloneMs);
    if (!surroundings.inCluster) return this.#seeds.filter((seed) => !this.#reached.has(seed));
    const isolated = surroundings.connected < surroundings.others / 2;
    return isolated || surroundings.others === 0 ? this.#seeds : [];
  }
}
