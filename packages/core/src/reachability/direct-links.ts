import type { NodeId } from '@memgrid/protocol';
import { DueQueue, NOT_QUEUED, type Due } from '../due-queue.ts';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';
import { silentAfterMs, unreachedAfterMs } from './reachability-config.ts';
import type { ReachabilityConfig } from './reachability-config.ts';

interface Peer {
  readonly id: NodeId;
  heardAt: Instant;
  /** When a direct probe first failed, nothing having been heard since. */
  missedAt: Instant | undefined;
  unreached: boolean;
  silent: boolean;
}

interface Check extends Due {
  readonly peer: Peer;
  readonly direction: 'to' | 'from';
}

/** A link direction that was lost or restored. */
export interface LinkChange {
  readonly peer: NodeId;
  readonly direction: 'to' | 'from';
  readonly lost: boolean;
}

/**
 * This node's own evidence about its direct links: who was heard when, whose probe failed.
 *
 * Hearing is the common case and costs one map look-up. Silence is looked for when it may have
 * begun, one heap entry per peer and direction.
 */
export class DirectLinks {
  readonly #config: ReachabilityConfig;
  readonly #peers = new Map<NodeId, Peer>();
  readonly #checks = new DueQueue<Check>();

  constructor(config: ReachabilityConfig) {
    this.#config = config;
  }

  /** When a direction may turn out to be lost. */
  get nextCheckAt(): Instant | undefined {
    return this.#checks.earliest;
  }

  /** Members known, this node included. */
  get knownCount(): number {
    return this.#peers.size + 1;
  }

  has(peer: NodeId): boolean {
    return this.#peers.has(peer);
  }

  ids(): readonly NodeId[] {
    return [...this.#peers.keys()];
  }

  unreached(): readonly NodeId[] {
    return this.#where((peer) => peer.unreached);
  }

  silent(): readonly NodeId[] {
    return this.#where((peer) => peer.silent);
  }

  /** Whoever is new gets the whole window before its silence counts. */
  setMembers(now: Instant, members: readonly NodeId[]): void {
    const wanted = new Set(members);
    for (const id of [...this.#peers.keys()]) if (!wanted.has(id)) this.#peers.delete(id);
    for (const id of wanted) {
      if (this.#peers.has(id)) continue;
      const peer: Peer = { id, heardAt: now, missedAt: undefined, unreached: false, silent: false };
      this.#peers.set(id, peer);
      this.#checks.add(this.#silentAt(peer), { peer, direction: 'from', dueAt: NOT_QUEUED });
    }
  }

  /** Something arrived. Returns what that restores; almost always nothing. */
  heard(now: Instant, id: NodeId): readonly LinkChange[] | undefined {
    const peer = this.#peers.get(id);
    if (peer === undefined) return undefined;
    peer.heardAt = now;
    if (peer.missedAt === undefined && !peer.silent) return undefined;
    const restored: LinkChange[] = [];
    if (peer.unreached) restored.push({ peer: id, direction: 'to', lost: false });
    if (peer.silent) {
      restored.push({ peer: id, direction: 'from', lost: false });
      this.#checks.add(this.#silentAt(peer), { peer, direction: 'from', dueAt: NOT_QUEUED });
    }
    peer.missedAt = undefined;
    peer.unreached = false;
    peer.silent = false;
    return restored;
  }

  /** A direct probe failed, or the link cannot be made. */
  missed(now: Instant, id: NodeId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined || peer.missedAt !== undefined) return;
    peer.missedAt = now;
    this.#checks.add(after(now, unreachedAfterMs(this.#config)), {
      peer,
      direction: 'to',
      dueAt: NOT_QUEUED,
    });
  }

  /** The directions that are lost by now. */
  lost(now: Instant): readonly LinkChange[] {
    const changes: LinkChange[] = [];
    while (true) {
      const check = this.#checks.take(now);
      if (check === undefined) return changes;
      const { peer, direction } = check;
      if (this.#peers.get(peer.id) !== peer) continue;
      if (direction === 'to' ? this.#loseTo(now, peer) : this.#loseFrom(now, peer)) {
        changes.push({ peer: peer.id, direction, lost: true });
      }
    }
  }

  #loseTo(now: Instant, peer: Peer): boolean {
    const { missedAt } = peer;
    if (missedAt === undefined || peer.unreached) return false;
    // Heard and missed again since this check was made: the newer check will come.
    if (now - missedAt < unreachedAfterMs(this.#config)) return false;
    peer.unreached = true;
    return true;
  }

  #loseFrom(now: Instant, peer: Peer): boolean {
    const silentAt = this.#silentAt(peer);
    if (silentAt > now) {
      this.#checks.add(silentAt, { peer, direction: 'from', dueAt: NOT_QUEUED });
      return false;
    }
    peer.silent = true;
    return true;
  }

  #silentAt(peer: Peer): Instant {
    return after(peer.heardAt, this.#silentMs());
  }

  #silentMs(): number {
    return silentAfterMs(this.#config, this.knownCount);
  }

  #where(accept: (peer: Peer) => boolean): readonly NodeId[] {
    const result: NodeId[] = [];
    for (const peer of this.#peers.values()) if (accept(peer)) result.push(peer.id);
    return result.sort();
  }
}
