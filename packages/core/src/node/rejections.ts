import type { ClusterId, NodeId, RejectReason } from '@memgrid/protocol';
import { shortId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { HaltCode } from '../node-io.ts';

/**
 * A slow death of the previous process looks like a clone for a moment: its links count as living for
 * 2 s, and the dials back off to 3 s by then.
 */
const IDENTITY_CONFLICT_MS = 6_000;

/** A connection that ends sooner was refused: whoever is dialled may say so only by hanging up. */
const LASTING_MS = 1_000;

export interface Rejection {
  readonly address: string;
  readonly reason: RejectReason;
  readonly detail: string;
}

/** Remembers who would not speak to this node, and decides when that is reason to stop. */
export class Rejections {
  readonly #seeds: readonly string[];
  readonly #wrongCluster = new Set<string>();
  /** Seeds that are this node itself: they say nothing about which cluster is meant. */
  readonly #own = new Set<string>();
  #everConnected = false;
  /** Peers that say this node's identity is in use, from the first time to the latest. */
  #conflict: { readonly since: Instant; until: Instant; detail: string } | undefined;
  /** Peers that are connected, and since when. */
  readonly #connected = new Map<NodeId, Instant>();
  #latest: Rejection | undefined;

  constructor(seeds: readonly string[]) {
    this.#seeds = seeds;
  }

  /** What the last peer that refused said; undefined when nobody did since the last connection. */
  get latestDetail(): string | undefined {
    return this.#latest?.detail;
  }

  note(now: Instant, rejection: Rejection): void {
    this.#latest = rejection;
    if (rejection.reason === 'wrongCluster') this.#wrongCluster.add(rejection.address);
    if (rejection.reason === 'identityInUse') {
      if (this.#conflict === undefined || this.#wasAccepted(now, this.#conflict.since)) {
        this.#conflict = { since: now, until: now, detail: '' };
      }
      this.#conflict.until = now;
      this.#conflict.detail = rejection.detail;
    }
  }

  reachedSelf(seed: string): void {
    this.#own.add(seed);
  }

  connected(now: Instant, peer: NodeId): void {
    this.#everConnected = true;
    this.#connected.set(peer, now);
    this.#latest = undefined;
  }

  disconnected(now: Instant, peer: NodeId): void {
    const since = this.#connected.get(peer);
    this.#connected.delete(peer);
    if (since !== undefined && this.#conflict !== undefined && isLasting(since, now)) {
      if (since > this.#conflict.since) this.#conflict = undefined;
    }
  }

  /** Whether somebody has spoken to this node after all, and longer than a refusal takes. */
  #wasAccepted(now: Instant, since: Instant): boolean {
    return [...this.#connected.values()].some((at) => at > since && isLasting(at, now));
  }

  verdict(ownCluster: ClusterId | undefined): { code: HaltCode; detail: string } | undefined {
    const latest = this.#latest;
    if (latest?.reason === 'expelled') return { code: 'expelled', detail: latest.detail };
    if (latest?.reason === 'staleGeneration') {
      return { code: 'staleDirectory', detail: `${latest.detail} Is the data directory a copy?` };
    }
    // Said once, it proves nothing however long ago: whoever said it may be gone since.
    const conflict = this.#conflict;
    if (conflict !== undefined && conflict.until - conflict.since >= IDENTITY_CONFLICT_MS) {
      return { code: 'identityInUse', detail: conflict.detail };
    }
    return this.#foreignCluster(ownCluster);
  }

  #foreignCluster(
    ownCluster: ClusterId | undefined,
  ): { code: HaltCode; detail: string } | undefined {
    if (this.#everConnected || ownCluster === undefined) return undefined;
    const others = this.#seeds.filter((seed) => !this.#own.has(seed));
    if (others.length === 0 || !others.every((seed) => this.#wrongCluster.has(seed))) {
      return undefined;
    }
    const detail =
      `This data directory belongs to cluster ${shortId(ownCluster)}, and every seed ` +
      `(${this.#seeds.join(', ')}) to another one. Start with another directory or other seeds.`;
    return { code: 'wrongCluster', detail };
  }
}

function isLasting(since: Instant, now: Instant): boolean {
  return now - since >= LASTING_MS;
}
