import type {
  Generation,
  GroupEpoch,
  MembershipMessage,
  MemberMeta,
  Message,
  NodeId,
  ReachabilityMessage,
} from '@memgrid/protocol';
import { earliest, isDue, type Instant } from '../machine.ts';
import { Membership } from '../membership/membership.ts';
import type { MembershipEffect, MembershipEvent, MemberView } from '../membership/membership-io.ts';
import type { RegisteredMember } from '../node-status.ts';
import { Reachability } from '../reachability/reachability.ts';
import type { ReachabilityEffect, ReachabilityEvent } from '../reachability/reachability-io.ts';
import type { ClusterInput, ClusterMachineOptions } from './cluster-machine-io.ts';
import { ConnectedPeers } from './connected-peers.ts';
import { EffectQueue } from './effect-queue.ts';

type PeerUp = Extract<ClusterInput, { kind: 'peerUp' }>;

export type NeighboursEffect =
  | {
      readonly kind: 'send';
      readonly to: NodeId;
      readonly address: string;
      readonly message: Message;
    }
  | { readonly kind: 'contact'; readonly peer: NodeId; readonly address: string }
  /** The link to this peer may be half open: make a new one. */
  | { readonly kind: 'disconnect'; readonly peer: NodeId; readonly reason: string }
  | { readonly kind: 'event'; readonly event: MembershipEvent | ReachabilityEvent };

type Inner =
  | { readonly of: 'membership'; readonly effect: MembershipEffect }
  | { readonly of: 'reachability'; readonly effect: ReachabilityEffect };

export interface NeighboursOptions extends Pick<
  ClusterMachineOptions,
  'self' | 'membership' | 'digest' | 'random' | 'now'
> {
  readonly meta: MemberMeta;
  readonly leaveKey: Uint8Array;
  /** Where a member is dialled that neither is connected nor known by gossip. */
  readonly registeredAddress: (peer: NodeId) => string | undefined;
}

/**
 * The other members as this node meets them: who is alive by gossip, who reaches whom, and which
 * connections are to be doubted.
 */
export class Neighbours {
  readonly #options: NeighboursOptions;
  readonly #membership: Membership;
  readonly #reachability: Reachability;
  readonly #peers = new ConnectedPeers();
  readonly #inner = new EffectQueue<Inner>();
  #effects: NeighboursEffect[] = [];

  constructor(options: NeighboursOptions) {
    const { digest, leaveKey, meta, now, random, self } = options;
    const { nodeId, generation } = self;
    this.#options = options;
    this.#membership = new Membership({
      config: options.membership,
      self: { nodeId, generation, meta, leaveKey },
      random: random.split('membership'),
      digest,
      now,
    });
    this.#reachability = new Reachability({
      self: nodeId,
      generation,
      random: random.split('reachability'),
      now,
    });
  }

  get wakeAt(): Instant | undefined {
    return earliest(this.#membership.wakeAt, this.#reachability.wakeAt);
  }

  get healthScore(): number {
    return this.#membership.healthScore;
  }

  views(): readonly MemberView[] {
    return this.#membership.views();
  }

  view(member: NodeId): MemberView | undefined {
    return this.#membership.get(member);
  }

  rows(): ReturnType<Reachability['rows']> {
    return this.#reachability.rows();
  }

  /** The latest life of the control group that a peer spoke of, and at least `own`. */
  latestGroupEpoch(own: GroupEpoch): GroupEpoch {
    return this.#peers.latestGroupEpoch(own);
  }

  isGroupSilent(now: Instant, peer: NodeId, lastContactMs: number): boolean {
    return this.#peers.isGroupSilent(now, peer, lastContactMs);
  }

  /** Where to dial a member: from its connection, gossip or the registry. */
  addressOf(peer: NodeId): string {
    return (
      this.#peers.addressOf(peer) ??
      this.#membership.get(peer)?.meta.address ??
      this.#options.registeredAddress(peer) ??
      ''
    );
  }

  wake(now: Instant): void {
    if (isDue(this.#membership.wakeAt, now)) this.#fromMembership(this.#membership.wake(now));
    if (isDue(this.#reachability.wakeAt, now)) this.#fromReachability(this.#reachability.wake(now));
  }

  peerUp(now: Instant, { peer, address, generation, groupEpoch }: PeerUp): void {
    this.#peers.add(now, peer, { address, groupEpoch });
    this.#toMembership(now, { kind: 'linkUp', peer, generation, address });
    this.#fromReachability(this.#reachability.step(now, { kind: 'heard', peer }));
  }

  peerDown(now: Instant, peer: NodeId, generation: Generation): void {
    this.#peers.remove(peer);
    this.#toMembership(now, { kind: 'linkDown', peer, generation });
  }

  dialRefused(now: Instant, peer: NodeId): void {
    this.#toMembership(now, { kind: 'dialRefused', peer });
    this.#missed(now, peer);
  }

  dialFailed(now: Instant, peer: NodeId): void {
    this.#missed(now, peer);
  }

  /** A message of this peer arrived: the life of the group that it spoke of, if it is connected. */
  heard(now: Instant, from: NodeId): GroupEpoch | undefined {
    this.#fromReachability(this.#reachability.step(now, { kind: 'heard', peer: from }));
    return this.#peers.heard(now, from)?.groupEpoch;
  }

  gossiped(
    now: Instant,
    { from, generation }: { readonly from: NodeId; readonly generation: Generation },
    body: MembershipMessage,
  ): void {
    this.#toMembership(now, { kind: 'message', from, generation, body });
  }

  mapped(now: Instant, from: NodeId, body: ReachabilityMessage): void {
    this.#fromReachability(this.#reachability.step(now, { kind: 'message', from, body }));
  }

  newGeneration(now: Instant, peer: NodeId, generation: Generation): void {
    this.#toMembership(now, { kind: 'newGeneration', peer, generation });
  }

  stalled(now: Instant, stalledMs: number): void {
    this.#toMembership(now, { kind: 'stalled', stalledMs });
  }

  registered(now: Instant, members: readonly RegisteredMember[]): void {
    this.#toMembership(now, { kind: 'registry', members });
    this.#tellReachability(now);
  }

  describe(now: Instant, meta: MemberMeta): void {
    this.#toMembership(now, { kind: 'meta', meta });
  }

  leave(now: Instant): void {
    this.#toMembership(now, { kind: 'leave' });
  }

  /** What the calls since the last one caused. */
  take(now: Instant): readonly NeighboursEffect[] {
    for (let next = this.#inner.take(); next !== undefined; next = this.#inner.take()) {
      this.#handle(now, next);
    }
    this.#inner.settled();
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #toMembership(now: Instant, input: Parameters<Membership['step']>[1]): void {
    this.#fromMembership(this.#membership.step(now, input));
  }

  #missed(now: Instant, peer: NodeId): void {
    this.#fromReachability(this.#reachability.step(now, { kind: 'missed', peer }));
  }

  #tellReachability(now: Instant): void {
    const { nodeId } = this.#options.self;
    const members = this.#membership
      .views()
      .filter((view) => view.liveness !== 'left' && view.nodeId !== nodeId)
      .map((view) => view.nodeId);
    this.#fromReachability(this.#reachability.step(now, { kind: 'members', members }));
  }

  #handle(now: Instant, { of, effect }: Inner): void {
    switch (effect.kind) {
      case 'send': {
        const address = of === 'membership' ? effect.address : this.addressOf(effect.to);
        this.#effects.push({ kind: 'send', to: effect.to, address, message: effect.body });
        break;
      }
      case 'contact':
        this.#effects.push(effect);
        break;
      case 'direct':
        if (!effect.reached) this.#missed(now, effect.peer);
        if (!this.#peers.probed(now, effect.peer, effect.reached)) break;
        // The next message, or the next contact, makes a new one.
        this.#effects.push({ kind: 'disconnect', peer: effect.peer, reason: 'silent' });
        break;
      case 'event':
        this.#effects.push(effect);
        if (effect.event.name === 'member.joined' || effect.event.name === 'member.left') {
          this.#tellReachability(now);
        }
        break;
    }
  }

  #fromMembership(effects: readonly MembershipEffect[]): void {
    for (const effect of effects) this.#inner.add({ of: 'membership', effect });
  }

  #fromReachability(effects: readonly ReachabilityEffect[]): void {
    for (const effect of effects) this.#inner.add({ of: 'reachability', effect });
  }
}
