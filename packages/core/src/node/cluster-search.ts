import type { ClusterId, FoundingPlan, GroupEpoch, MemberRecord, NodeId } from '@memgrid/protocol';
import { Founding } from '../bootstrap/founding.ts';
import type {
  FoundingEffect,
  FoundingInput,
  FoundingMessage,
  FoundingPromise,
} from '../bootstrap/founding-io.ts';
import { earliest, isDue, type Instant } from '../machine.ts';
import type { NodeEvent } from '../node-event.ts';
import type { Identity, NodeSettings } from '../node-io.ts';
import type { Random } from '../random.ts';
import type { StoreOperation, Ticket } from '../store-operation.ts';
import { foundedEntry, joinedEntry, type NewEntry } from './cluster-entry.ts';
import { FOUNDING_EPOCH } from './founding-image.ts';
import { promiseOperations } from './node-records.ts';
import type { PeerBook, PeerFacts } from './peer-book.ts';
import { SeedSearch, type Surroundings } from './seed-search.ts';

export type SearchEffect =
  | { readonly kind: 'send'; readonly to: NodeId; readonly body: FoundingMessage }
  | { readonly kind: 'connect'; readonly address: string; readonly peer: NodeId | undefined }
  | { readonly kind: 'disconnect'; readonly peer: NodeId; readonly reason: string }
  /** Durably; answered with `stored`. */
  | {
      readonly kind: 'store';
      readonly ticket: Ticket;
      readonly operations: readonly StoreOperation[];
    }
  /** There is a cluster for this node: once it is on disk, `entered` is to be called. */
  | { readonly kind: 'enter'; readonly entry: NewEntry }
  /** A seed is this node itself. */
  | { readonly kind: 'reachedSelf'; readonly address: string }
  | { readonly kind: 'event'; readonly event: NodeEvent };

export interface ClusterSearchOptions {
  readonly settings: NodeSettings;
  readonly peers: PeerBook;
  readonly identity: () => Identity;
  /** How much of its cluster this node sees. */
  readonly surroundings: () => Surroundings;
  readonly random: Random;
}

/**
 * How a node finds its cluster: it knocks at seeds, founds one with the others or joins the one that
 * it meets there, and tells those that still look. Goes on for life: a node that lost sight of its
 * cluster asks its seeds again.
 */
export class ClusterSearch {
  readonly #options: ClusterSearchOptions;
  readonly #seeds: SeedSearch;
  #founding: Founding | undefined;
  /** Kept by founders until everybody in it has heard: they may have missed the commit. */
  #plan: FoundingPlan | undefined;
  #inCluster = false;
  #effects: SearchEffect[] = [];

  constructor(options: ClusterSearchOptions) {
    this.#options = options;
    this.#seeds = new SeedSearch(options.settings.seeds);
  }

  get wakeAt(): Instant | undefined {
    return earliest(this.#founding?.wakeAt, this.#seeds.wakeAt);
  }

  /** What is missing before there is a cluster; undefined when there is nothing to wait for. */
  get waitingFor(): string | undefined {
    return this.#founding?.waitingFor();
  }

  /** This node's start is durable, and the directory knows its cluster. */
  begin(now: Instant): void {
    this.#seeds.begin(now);
    this.#inCluster = true;
  }

  /** This node's start is durable, and there is no cluster yet. */
  beginAlone(
    now: Instant,
    self: MemberRecord,
    promise: FoundingPromise | undefined,
  ): readonly SearchEffect[] {
    const { settings, random } = this.#options;
    const { seeds, expect, votersMax } = settings;
    this.#seeds.begin(now);
    const options = { self, seeds, expect, votersMax, promise };
    this.#founding = new Founding(options, random.split('founding'), now);
    this.#fromFounding(this.#founding.wake(now));
    return this.#take();
  }

  wake(now: Instant): readonly SearchEffect[] {
    if (this.#founding !== undefined) this.#fromFounding(this.#founding.wake(now));
    if (isDue(this.#seeds.wakeAt, now)) {
      for (const address of this.#seeds.take(now, this.#options.surroundings())) {
        this.#effects.push({ kind: 'connect', address, peer: undefined });
      }
    }
    return this.#take();
  }

  stored(now: Instant, ticket: Ticket): readonly SearchEffect[] {
    this.#toFounding(now, { kind: 'stored', ticket });
    return this.#take();
  }

  /** The entry is on disk: the other founders may hear of it. */
  entered(entry: NewEntry): readonly SearchEffect[] {
    this.#inCluster = true;
    this.#plan = entry.plan;
    for (const peer of this.#options.peers.peers()) this.#passPlanOn(peer);
    return this.#take();
  }

  peerUp(now: Instant, facts: PeerFacts): readonly SearchEffect[] {
    const { peer, address, clusterId } = facts;
    if (!this.#inCluster && clusterId === undefined) {
      this.#toFounding(now, { kind: 'peerUp', peer, address });
    }
    // Whoever dialled us is reached as well: our own dial there may lose against it every time.
    this.#reached(now, address, peer);
    this.#joinSeeds();
    // A founder that crashed between its promise and the commit asks again by just being there.
    if (clusterId === undefined) this.#passPlanOn(peer);
    return this.#take();
  }

  peerDown(now: Instant, peer: NodeId): readonly SearchEffect[] {
    this.#toFounding(now, { kind: 'peerDown', peer });
    for (const seed of this.#seeds.lost(peer)) this.#toFounding(now, { kind: 'seedLost', seed });
    return this.#take();
  }

  /** Somebody answered at this address; it may be this node itself. */
  reached(now: Instant, address: string, peer: NodeId | undefined): readonly SearchEffect[] {
    this.#reached(now, address, peer);
    return this.#take();
  }

  message(now: Instant, from: NodeId, body: FoundingMessage): readonly SearchEffect[] {
    if (this.#founding !== undefined) this.#toFounding(now, { kind: 'message', from, body });
    else if (body.type === 'discover') this.#tellOfCluster(from);
    return this.#take();
  }

  #reached(now: Instant, address: string, peer: NodeId | undefined): void {
    if (!this.#seeds.reached(address, peer)) return;
    if (peer === this.#options.identity().nodeId) {
      this.#effects.push({ kind: 'reachedSelf', address });
    }
    this.#toFounding(now, { kind: 'seedReached', seed: address });
    this.#joinSeeds();
  }

  /**
   * A peer that still looks for a cluster greeted us before we had one. When the plan does not help
   * it, a new greeting will: that names the cluster.
   */
  #tellOfCluster(peer: NodeId): void {
    const { peers } = this.#options;
    if (!this.#inCluster || !peers.isUninformed(peer)) return;
    if (peers.takePlanHint(peer) && this.#passPlanOn(peer)) return;
    this.#effects.push({ kind: 'disconnect', peer, reason: 'greetAgain' });
  }

  /** False when the peer is not in the plan, or there is none. */
  #passPlanOn(peer: NodeId): boolean {
    const plan = this.#plan;
    if (plan === undefined || !plan.members.some((member) => member.nodeId === peer)) return false;
    this.#effects.push({ kind: 'send', to: peer, body: { type: 'foundCommit', plan } });
    return true;
  }

  /**
   * A seed already belongs to a cluster: become part of that one. Whoever merely dials this node,
   * because it has the address of a member that is gone, does not draw it in.
   */
  #joinSeeds(): void {
    for (const { peer, address, clusterId, groupEpoch } of this.#options.peers.withCluster()) {
      if (clusterId === undefined) continue;
      const promised = this.#founding?.promisedPlan(clusterId) !== undefined;
      if (promised || this.#seeds.isSeed(peer, address)) this.#join(clusterId, groupEpoch);
    }
  }

  #join(clusterId: ClusterId, groupEpoch: GroupEpoch): void {
    if (this.#founding === undefined) return;
    const identity = this.#options.identity();
    const promised = this.#founding.promisedPlan(clusterId);
    // The one that this node helps to found, and the commit was missed? Without this node's vote
    // it may have no quorum.
    const isFounder = promised !== undefined && groupEpoch <= FOUNDING_EPOCH;
    this.#enter(
      isFounder
        ? foundedEntry(identity, promised)
        : joinedEntry(identity, { clusterId, groupEpoch }),
    );
  }

  #enter(entry: NewEntry): void {
    this.#founding = undefined;
    this.#effects.push({ kind: 'enter', entry });
  }

  #toFounding(now: Instant, input: FoundingInput): void {
    if (this.#founding !== undefined) this.#fromFounding(this.#founding.step(now, input));
  }

  #fromFounding(effects: readonly FoundingEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
        case 'event':
          this.#effects.push(effect);
          break;
        case 'reconnect': {
          const { peer, address } = effect;
          this.#effects.push({ kind: 'disconnect', peer, reason: 'silent' });
          this.#effects.push({ kind: 'connect', address, peer });
          break;
        }
        case 'contact':
          this.#effects.push({ kind: 'connect', address: effect.address, peer: effect.peer });
          break;
        case 'storePromise': {
          const operations = promiseOperations(effect.promise);
          this.#effects.push({ kind: 'store', ticket: effect.ticket, operations });
          break;
        }
        case 'founded':
          this.#enter(foundedEntry(this.#options.identity(), effect.plan));
          break;
      }
    }
  }

  #take(): readonly SearchEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
