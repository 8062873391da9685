import { PROTOCOL } from '@memgrid/protocol';
import type {
  ClientMessage,
  ClientRefused,
  ClientWelcome,
  ErrorCode,
  NodeId,
  Placement,
  ShardId,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import { after, earliest } from '../machine.ts';
import type { Instant } from '../machine.ts';
import type { Random } from '../random.ts';
import { NO_SLOT } from '../routing/placement-table.ts';
import type { NodeSlot } from '../routing/placement-table.ts';
import type { Reach } from '../routing/router.ts';
import type { ClusterView } from './cluster-view.ts';
import { Peer } from './peer.ts';
import type { SessionConfig } from './session-config.ts';
import type { SessionEffect, SessionEvent } from './session-io.ts';
import { TokenBucket } from './token-bucket.ts';

/** Dials at one time while no node is connected: the first that answers wins. */
const SEARCHING_DIALS_MAX = 3;
/** How long a node that said goodbye may take to answer what it has. */
const LEAVING_MS_MAX = 10_000;

export interface ConnectionsOptions {
  readonly seeds: readonly string[];
  readonly name: string;
  readonly version: string;
  readonly config: SessionConfig;
  readonly random: Random;
  readonly cluster: ClusterView;
  readonly now: Instant;
  readonly emit: (effect: SessionEffect) => void;
  /** A node was let in; it may be asked from now on. */
  readonly onReady: (peer: Peer, now: Instant) => void;
  /** Its calls and feeds are still in `peer`; they are forgotten right after. */
  readonly onLost: (peer: Peer, now: Instant) => void;
  /** It said goodbye: no new calls, and its feeds end. */
  readonly onLeaving: (peer: Peer, now: Instant) => void;
  /** How often nodes with feeds are asked for a sign of life; undefined without a near cache. */
  readonly confirmMs: number | undefined;
}

/**
 * Connections to the nodes that are needed: at most one a node, and always one if any can be had.
 * See DESIGN.md, Q7 and Q8.
 */
export class Connections implements Reach<Peer> {
  readonly #options: ConnectionsOptions;
  readonly #config: SessionConfig;
  readonly #cluster: ClusterView;
  readonly #byAddress = new Map<string, Peer>();
  readonly #byLink = new Map<LinkId, Peer>();
  readonly #bySlot: (Peer | undefined)[] = [];
  readonly #ready: Peer[] = [];
  readonly #dialBudget: TokenBucket;
  readonly #startedAt: Instant;
  #nextLink: LinkId = 1;
  #closed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#cluster = options.cluster;
    this.#startedAt = options.now;
    const perSecond = options.config.dialsPerSecond;
    this.#dialBudget = new TokenBucket({ share: 0, perSecond, max: perSecond, now: options.now });
    for (const address of options.random.shuffled(options.seeds)) this.#peerAt(address);
  }

  get all(): readonly Peer[] {
    return this.#ready;
  }

  at(slot: NodeSlot): Peer | undefined {
    return this.#bySlot[slot];
  }

  want(slot: NodeSlot): void {
    const node = this.#cluster.placement?.node(slot);
    if (node !== undefined) this.#peerAt(node.address).wanted = true;
  }

  get wakeAt(): Instant | undefined {
    let soonest: Instant | undefined;
    const searching = this.#searchesLeft() > 0;
    for (const peer of this.#byAddress.values()) {
      switch (peer.stage) {
        case 'idle':
          if (peer.wanted || searching) soonest = earliest(soonest, peer.redialAt);
          break;
        case 'ready':
          soonest = earliest(soonest, this.#checkAt(peer));
          break;
        default:
          soonest = earliest(soonest, peer.deadline);
      }
    }
    return soonest;
  }

  /** Ends what took too long, pings what is silent, dials what is wanted. */
  tend(now: Instant): void {
    for (const peer of this.#byAddress.values()) {
      if (peer.stage === 'ready') this.#check(peer, now);
      else if (peer.stage !== 'idle' && peer.deadline <= now) this.#tooLate(peer, now);
    }
    this.dial(now);
  }

  /** Dials what is wanted, or anybody while nobody is connected. */
  dial(now: Instant): void {
    if (this.#closed) return;
    let searches = this.#searchesLeft();
    for (const peer of this.#byAddress.values()) {
      const needed = peer.wanted || searches > 0;
      if (!needed || peer.stage !== 'idle' || peer.redialAt > now) continue;
      if (this.#isReachedOtherwise(peer)) {
        peer.wanted = false;
        continue;
      }
      if (!this.#dialBudget.take(now)) {
        peer.redialAt = after(now, this.#config.redialMsMin);
        continue;
      }
      searches -= 1;
      this.#dial(peer, now);
    }
  }

  opened(link: LinkId, now: Instant): void {
    const peer = this.#byLink.get(link);
    if (peer?.stage !== 'dialling') return;
    peer.stage = 'greeting';
    peer.deadline = after(now, this.#config.welcomeMsMax);
    const { name, version } = this.#options;
    this.send(peer, {
      type: 'clientHello',
      protocolMin: PROTOCOL.min,
      protocolMax: PROTOCOL.max,
      name,
      version,
    });
  }

  /** The connection ended, or never came to be. */
  lost(link: LinkId, problem: string, now: Instant): void {
    const peer = this.#byLink.get(link);
    if (peer !== undefined) this.#drop(peer, problem, now);
  }

  pressure(link: LinkId, bufferedBytes: number): Peer | undefined {
    const peer = this.#byLink.get(link);
    if (peer !== undefined) peer.bufferedBytes = bufferedBytes;
    return peer;
  }

  /** Whoever is at the other end, if what arrived may be looked at. */
  heard(link: LinkId, now: Instant): Peer | undefined {
    const peer = this.#byLink.get(link);
    if (peer === undefined || peer.stage === 'dialling' || peer.stage === 'idle') return undefined;
    peer.heardAt = now;
    peer.pingsMissed = 0;
    peer.suspect = false;
    return peer;
  }

  welcomed(peer: Peer, welcome: ClientWelcome, now: Instant): void {
    if (peer.stage !== 'greeting') return;
    const problem = this.#cluster.problemWith(welcome);
    if (problem !== undefined) {
      this.#refused(peer, problem.code, problem.detail, now);
      return;
    }
    const placement = this.#cluster.joined(welcome, now);
    const slot = placement.meet(welcome.nodeId, peer.address);
    const present = this.#bySlot[slot];
    if (present !== undefined) {
      // Two addresses lead to one node: the connection that is in use stays.
      peer.slot = slot;
      this.#hangUp(peer);
      peer.reset();
      peer.wanted = false;
      return;
    }
    peer.welcomed(slot, welcome.windowBytes, welcome.shardCount, now);
    peer.wanted = false;
    this.#bySlot[slot] = peer;
    this.#ready.push(peer);
    this.#event({ name: 'node.connected', nodeId: welcome.nodeId, address: peer.address });
    this.#options.onReady(peer, now);
  }

  wasRefused(peer: Peer, refused: ClientRefused, now: Instant): void {
    const code = REFUSAL_CODES[refused.reason];
    const { protocolMin: min, protocolMax: max } = refused;
    const isProtocol = refused.reason === 'protocol';
    const detail = isProtocol
      ? `It speaks protocol ${refused.protocolMin} to ${refused.protocolMax}, this client ${PROTOCOL.min} to ${PROTOCOL.max}.`
      : refused.detail;
    const event = { name: 'node.refused', address: peer.address, code, detail } as const;
    this.#event({ ...event, protocol: isProtocol ? { min, max } : undefined });
    this.#drop(peer, detail, now);
  }

  placed(placement: Placement): readonly ShardId[] {
    const changed = this.#cluster.placement?.apply(placement) ?? [];
    for (const node of placement.nodes) this.#peerAt(node.address);
    this.#forgetStrangers();
    return changed;
  }

  /** The node takes nothing new. Answers to what it has may still come. */
  leaves(peer: Peer, now: Instant): void {
    if (peer.stage !== 'ready') return;
    peer.stage = 'leaving';
    peer.deadline = after(now, LEAVING_MS_MAX);
    this.#forgetReady(peer);
    this.#options.onLeaving(peer, now);
    if (peer.attempts.count === 0) this.#drop(peer, 'The node said goodbye.', now);
  }

  /** Called after answers: a leaving node that has answered everything may go. */
  settleLeaving(peer: Peer, now: Instant): void {
    if (peer.stage === 'leaving' && peer.attempts.count === 0) {
      this.#drop(peer, 'The node said goodbye.', now);
    }
  }

  ponged(peer: Peer, token: number, now: Instant): void {
    const sentAt = after(this.#startedAt, token);
    if (sentAt > now || sentAt <= peer.confirmedAt) return;
    peer.confirmedAt = sentAt;
    if (now - peer.usedAt > this.#config.pingIdleMs / 2) peer.latency.addProbe(now - sentAt);
  }

  /** Asks for a sign of life now, to know how old what is known is. */
  ping(peer: Peer, now: Instant): void {
    this.send(peer, { type: 'clientPing', token: Math.max(0, Math.floor(now - this.#startedAt)) });
  }

  send(peer: Peer, message: ClientMessage): void {
    this.#options.emit({ kind: 'send', link: peer.link, message });
  }

  /** What arrived cannot be believed. */
  distrust(peer: Peer, problem: string, now: Instant): void {
    this.#refused(peer, 'BAD_MESSAGE', problem, now);
  }

  close(): void {
    this.#closed = true;
    for (const peer of this.#byAddress.values()) {
      if (peer.stage === 'idle') continue;
      if (peer.stage === 'ready') this.send(peer, { type: 'clientBye', reason: 'closed' });
      this.#hangUp(peer);
      peer.reset();
    }
    this.#ready.length = 0;
    this.#bySlot.length = 0;
  }

  describe(): { readonly nodeId: NodeId; readonly address: string }[] {
    return this.#ready.map((peer) => ({
      nodeId: this.#cluster.nodeIdOf(peer.slot),
      address: peer.address,
    }));
  }

  #peerAt(address: string): Peer {
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known;
    const peer = new Peer(address, this.#config.socketBytesMax);
    this.#byAddress.set(address, peer);
    return peer;
  }

  /** Addresses that neither the application nor the placement names any more. */
  #forgetStrangers(): void {
    const named = new Set(this.#options.seeds);
    for (const node of this.#cluster.placement?.nodes ?? [])
      if (node.alive) named.add(node.address);
    for (const [address, peer] of this.#byAddress) {
      if (peer.stage === 'idle' && !named.has(address)) this.#byAddress.delete(address);
    }
  }

  #isReachedOtherwise(peer: Peer): boolean {
    if (peer.slot !== NO_SLOT && this.#bySlot[peer.slot] !== undefined) return true;
    const placement = this.#cluster.placement;
    if (placement === undefined) return false;
    return placement.nodes.some(
      (node, slot) => node.address === peer.address && this.#bySlot[slot] !== undefined,
    );
  }

  /** While nobody is connected: how many more may be asked at the same time. */
  #searchesLeft(): number {
    if (this.#ready.length > 0 || this.#closed) return 0;
    let left = SEARCHING_DIALS_MAX;
    for (const { stage } of this.#byAddress.values()) {
      if (stage === 'dialling' || stage === 'greeting') left -= 1;
    }
    return left;
  }

  #dial(peer: Peer, now: Instant): void {
    peer.link = this.#nextLink;
    this.#nextLink += 1;
    peer.stage = 'dialling';
    peer.deadline = after(now, this.#config.dialMsMax);
    this.#byLink.set(peer.link, peer);
    this.#options.emit({ kind: 'dial', link: peer.link, address: peer.address });
  }

  #tooLate(peer: Peer, now: Instant): void {
    const problem =
      peer.stage === 'leaving' ? 'The node said goodbye.' : `No answer while ${peer.stage}.`;
    this.#drop(peer, problem, now);
  }

  #refused(peer: Peer, code: ErrorCode, detail: string, now: Instant): void {
    const protocol = undefined;
    this.#event({ name: 'node.refused', address: peer.address, code, detail, protocol });
    this.#drop(peer, detail, now);
  }

  #drop(peer: Peer, problem: string, now: Instant): void {
    const wasConnected = peer.isConnected;
    this.#hangUp(peer);
    this.#forgetReady(peer);
    // Calls that are sent again at once must not choose this peer.
    peer.stage = 'idle';
    this.#backOff(peer, now);
    this.#event({ name: 'node.disconnected', address: peer.address, problem });
    if (wasConnected) this.#options.onLost(peer, now);
    peer.reset();
  }

  #hangUp(peer: Peer): void {
    this.#byLink.delete(peer.link);
    this.#options.emit({ kind: 'hangUp', link: peer.link });
  }

  #forgetReady(peer: Peer): void {
    const place = this.#ready.indexOf(peer);
    if (place >= 0) this.#ready.splice(place, 1);
    if (peer.slot !== NO_SLOT && this.#bySlot[peer.slot] === peer) {
      this.#bySlot[peer.slot] = undefined;
    }
  }

  /** Full jitter: clients that lost the same node must not all come back in the same moment. */
  #backOff(peer: Peer, now: Instant): void {
    const { redialMsMin, redialMsMax } = this.#config;
    // Who lets everybody in and hangs up on them is no better than who lets nobody in.
    const { welcomedAt } = peer;
    if (welcomedAt !== undefined && now - welcomedAt >= redialMsMax) peer.failures = 0;
    const ceiling = Math.min(redialMsMax, redialMsMin * 2 ** Math.min(peer.failures, 20));
    peer.failures += 1;
    peer.redialAt = after(now, this.#options.random.between(0, ceiling));
  }

  #checkAt(peer: Peer): Instant {
    const pingAt = after(peer.heardAt, this.#config.pingIdleMs * (peer.pingsMissed + 1));
    const confirmAt = this.#mustConfirm(peer) ? peer.confirmAgainAt : undefined;
    return earliest(earliest(pingAt, this.#idleAt(peer)), confirmAt) as Instant;
  }

  #mustConfirm(peer: Peer): boolean {
    return peer.feedCount > 0 && this.#options.confirmMs !== undefined;
  }

  #idleAt(peer: Peer): Instant | undefined {
    const inUse = peer.attempts.count > 0 || peer.feedCount > 0 || this.#ready.length === 1;
    return inUse ? undefined : after(peer.usedAt, this.#config.idleCloseMs);
  }

  #check(peer: Peer, now: Instant): void {
    const idleAt = this.#idleAt(peer);
    if (idleAt !== undefined && idleAt <= now) {
      this.send(peer, { type: 'clientBye', reason: 'closed' });
      this.#drop(peer, 'Not used any more.', now);
      peer.failures = 0;
      return;
    }
    const { confirmMs } = this.#options;
    if (confirmMs !== undefined && peer.feedCount > 0 && peer.confirmAgainAt <= now) {
      peer.confirmAgainAt = after(now, confirmMs);
      this.ping(peer, now);
    }
    if (now < after(peer.heardAt, this.#config.pingIdleMs * (peer.pingsMissed + 1))) return;
    if (peer.pingsMissed >= this.#config.pingsMissedMax) {
      this.#drop(peer, `Silent for ${Math.round(now - peer.heardAt)} ms.`, now);
      return;
    }
    peer.pingsMissed += 1;
    this.ping(peer, now);
  }

  #event(event: SessionEvent): void {
    this.#options.emit({ kind: 'event', event });
  }
}

const REFUSAL_CODES: Readonly<Record<ClientRefused['reason'], ErrorCode>> = {
  protocol: 'PROTOCOL_MISMATCH',
  notFounded: 'NOT_FOUNDED',
  shuttingDown: 'SHUTTING_DOWN',
  overloaded: 'OVERLOADED',
  badMessage: 'BAD_MESSAGE',
};
