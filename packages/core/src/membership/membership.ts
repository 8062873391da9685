import type { MemberDigest, MembershipMessage, NodeId } from '@memgrid/protocol';
import { unreachable } from '../assert.ts';
import { after } from '../machine.ts';
import type { Instant, Machine } from '../machine.ts';
import { Conversation } from './conversation.ts';
import { pushPullIntervalMs } from './membership-config.ts';
import type { MembershipEffect, MembershipInput, MemberView } from './membership-io.ts';
import { membershipParts } from './membership-parts.ts';
import type { MembershipParts, MembershipStart } from './membership-parts.ts';
import type { Member } from './member.ts';

type Input<Kind extends MembershipInput['kind']> = Extract<MembershipInput, { kind: Kind }>;

/** Tables are compared so often in quick succession after the first contact (Rapid, section 7). */
const EAGER_EXCHANGES = 5;
const EAGER_INTERVAL_MS = 1000;

/** Up to this size everybody is told of a refusal or a goodbye directly; above, a few. */
const TELL_ALL_MAX = 10;

/**
 * Who is in the cluster and who of them lives: SWIM (Das, Gupta, Motivala 2002) with Lifeguard
 * (Dadgar, Phillips, Currey 2017) and the corrections that small groups of paused processes need.
 *
 * What it says is a hint: it changes routing, never ownership. Rules and reasons: DESIGN.md.
 */
export class Membership implements Machine<MembershipInput, MembershipEffect> {
  readonly #parts: MembershipParts;
  readonly #conversation: Conversation;
  #gossipAt: Instant | undefined;
  #gossipedAt: Instant | undefined;
  #exchangeAt: Instant | undefined;
  #eagerLeft = EAGER_EXCHANGES;

  constructor(start: MembershipStart) {
    this.#parts = membershipParts(start);
    this.#conversation = new Conversation(this.#parts);
  }

  /** Members not known dead or left, this node included. Suspects count: they may answer yet. */
  get aliveCount(): number {
    return this.#parts.table.activeCount;
  }

  /** 0 (well) to `healthScoreMax`. */
  get healthScore(): number {
    return this.#parts.awareness.score;
  }

  get(id: NodeId): MemberView | undefined {
    const member = this.#parts.table.get(id);
    return member === undefined ? undefined : this.#viewOf(member);
  }

  /** Everybody known, this node included, sorted by node id. Costs O(N log N). */
  views(): readonly MemberView[] {
    return this.#parts.table.sorted().map((member) => this.#viewOf(member));
  }

  /** Equal on two nodes when their tables are (members that left aside). */
  digest(): MemberDigest {
    return this.#parts.table.digest();
  }

  /** Flaps too often to be trusted with a role. */
  isUnstable(id: NodeId): boolean {
    return this.#parts.flaps.isUnstable(id);
  }

  get wakeAt(): Instant | undefined {
    const { beliefs, contacts, errands, flaps, probe, refusals, self } = this.#parts;
    let at = earlier(Infinity, this.#gossipAt);
    at = earlier(at, errands.nextDueAt);
    at = earlier(at, flaps.nextSettleAt);
    at = earlier(at, self.announceAt);
    // Who leaves judges nobody any more; it only finishes what it has to say.
    if (!self.leaving) {
      at = earlier(at, probe.wakeAt);
      at = earlier(at, this.#exchangeAt);
      at = earlier(at, beliefs.nextDeadline);
      at = earlier(at, refusals.nextCheckAt);
      at = earlier(at, contacts.nextAt);
    }
    return at === Infinity ? undefined : (at as Instant);
  }

  step(now: Instant, input: MembershipInput): readonly MembershipEffect[] {
    this.#take(now, input);
    return this.#finish(now);
  }

  wake(now: Instant): readonly MembershipEffect[] {
    const { beliefs, contacts, effects, flaps, links, probe, refusals, self, table } = this.#parts;
    this.#conversation.reportFailedErrands(now);
    self.announceIfDue(now);
    for (const member of flaps.settled(now)) effects.event({ name: 'member.settled', member });
    if (!self.leaving) {
      probe.wake(now);
      beliefs.expire(now);
      for (const id of refusals.convicted(now, table.activeCount - table.suspectCount)) {
        const member = table.get(id);
        if (member !== undefined) beliefs.die(now, member, 'refused');
      }
      for (const { nodeId, address } of contacts.due(now, table)) {
        this.#makeContact(now, nodeId, address, links.has(nodeId));
      }
      this.#exchangeIfDue(now);
    }
    // Verdicts of this very wake-up are news, too.
    this.#armGossip(now);
    if (this.#gossipAt !== undefined && this.#gossipAt <= now) this.#gossip(now);
    return this.#finish(now);
  }

  #take(now: Instant, input: MembershipInput): void {
    switch (input.kind) {
      case 'message':
        return this.#conversation.receive(now, input.from, input.generation, input.body);
      case 'linkUp':
        return this.#linkUp(now, input);
      case 'linkDown':
        return this.#linkDown(input);
      case 'dialRefused':
        return this.#dialRefused(now, input.peer);
      case 'newGeneration':
        return this.#newGeneration(now, input);
      case 'stalled':
        return this.#stalled(now, input.stalledMs);
      case 'meta':
        return this.#parts.self.changeMeta(now, input.meta);
      case 'registry':
        return this.#registry(now, input);
      case 'leave':
        return this.#leave(now);
      default:
        return unreachable(input);
    }
  }

  #linkUp(now: Instant, input: Input<'linkUp'>): void {
    const { beliefs, links, pushPull, refusals, self, table } = this.#parts;
    const { peer, generation, address } = input;
    const member = table.get(peer);
    if (beliefs.isExpelled(peer) || peer === self.update.nodeId) return;
    links.set(peer, { generation, address });
    const known = member !== undefined && member.update.liveness === 'alive';
    const sameLife = member?.update.generation === generation;
    if (member !== undefined && generation >= member.update.generation) {
      if (generation > member.update.generation) beliefs.beginLife(now, member, generation);
      member.heardAt = now;
      refusals.cancel(peer);
    }
    // Between acquaintances one side asking is enough. With anybody else both do: the link may be
    // the only sign of life in ten minutes.
    if (!known || !sameLife || self.update.nodeId < peer) pushPull.open(now, peer, address);
  }

  #linkDown(input: Input<'linkDown'>): void {
    const { effects, links, list, table } = this.#parts;
    if (links.get(input.peer)?.generation === input.generation) links.delete(input.peer);
    const member = table.get(input.peer);
    if (member === undefined || !member.isActive) return;
    if (member.update.generation !== input.generation) return;
    // A killed process refuses the next dial, and then everybody knows within an interval.
    effects.contact(member.nodeId, member.address);
    list.urge(member);
  }

  #dialRefused(now: Instant, peer: NodeId): void {
    const { beliefs, effects, refusals, table, self } = this.#parts;
    const member = table.get(peer);
    if (self.leaving || member === undefined || member === table.self || !member.isActive) return;
    const { generation } = member.update;
    if (refusals.note(now, member.update, table.self.nodeId) === 'known') return;
    const body: MembershipMessage = { type: 'refused', target: peer, generation };
    for (const other of this.#audience(member)) effects.send(other, body);
    beliefs.accuse(now, member, table.self.nodeId);
  }

  #newGeneration(now: Instant, { peer, generation }: Input<'newGeneration'>): void {
    const { beliefs, effects, links, self, table } = this.#parts;
    if (peer === self.update.nodeId) {
      self.superseded(generation);
      return;
    }
    const member = table.get(peer);
    if (member === undefined || generation <= member.update.generation) return;
    if (beliefs.isExpelled(peer)) return;
    beliefs.beginLife(now, member, generation);
    if (!links.has(peer)) effects.contact(peer, member.address);
  }

  #stalled(now: Instant, stalledMs: number): void {
    const { beliefs, config, probe } = this.#parts;
    if (stalledMs > config.stallVoidsMs) probe.void(now);
    if (stalledMs < config.stallReportsMs) return;
    this.#parts.adjustHealth(Math.floor(stalledMs / 1000));
    this.#conversation.noteStall(now, stalledMs);
    beliefs.bePatientUntil(after(now, config.probeIntervalMs));
  }

  #registry(now: Instant, { members }: Input<'registry'>): void {
    const { beliefs, contacts, table } = this.#parts;
    const gone = members.filter(({ status }) => status === 'left' || status === 'expelled');
    const expelled = gone.filter(({ status }) => status === 'expelled');
    beliefs.setExpelled(new Set(expelled.map(({ nodeId }) => nodeId)));
    for (const { nodeId, generation, status } of gone) {
      const member = table.get(nodeId);
      if (member === undefined || member === table.self) continue;
      if (status === 'expelled' || generation >= member.update.generation) {
        beliefs.retire(now, member);
      }
    }
    contacts.setNeverMet(
      members.filter((known) => !gone.includes(known) && table.get(known.nodeId) === undefined),
    );
  }

  #leave(now: Instant): void {
    const { effects, self } = this.#parts;
    if (self.leaving) return;
    const goodbye = self.leave(now);
    for (const member of this.#audience(undefined)) {
      effects.send(member, { type: 'gossip', updates: [goodbye] });
    }
  }

  /** Everybody in a small group, otherwise a few; never `except`. */
  #audience(except: Member | undefined): readonly Member[] {
    const { config, random, table } = this.#parts;
    const others = (member: Member): boolean => member !== except;
    if (table.activeCount <= TELL_ALL_MAX) return table.active.filter(others);
    return table.sample(random, config.gossipFanout, others);
  }

  #makeContact(now: Instant, nodeId: NodeId, address: string, linked: boolean): void {
    const { courier, effects, table } = this.#parts;
    const member = table.get(nodeId);
    if (linked && member !== undefined) {
      effects.send(member, { type: 'gossip', updates: courier.load(now, member) });
    }
    effects.contact(nodeId, address);
  }

  #exchangeIfDue(now: Instant): void {
    if (this.#exchangeAt === undefined || this.#exchangeAt > now) return;
    this.#exchangeAt = undefined;
    const { links, pushPull, random, table } = this.#parts;
    if (this.#eagerLeft > 0) this.#eagerLeft -= 1;
    const partner = random.pick(table.active);
    if (partner !== undefined) {
      pushPull.open(now, partner.nodeId, partner.address);
      return;
    }
    // Whoever knows nobody yet asks whom it is connected to: the first exchange may have been lost.
    for (const [peer, { address }] of links) pushPull.open(now, peer, address);
  }

  #gossip(now: Instant): void {
    const { config, dissemination, effects, random, table } = this.#parts;
    this.#gossipAt = undefined;
    this.#gossipedAt = now;
    for (const member of table.sample(random, config.gossipFanout)) {
      const updates = dissemination.take(now);
      if (updates.length === 0) return;
      effects.send(member, { type: 'gossip', updates });
    }
  }

  /** Arms whatever the step gave reason for, and hands over what it wants done. */
  #finish(now: Instant): readonly MembershipEffect[] {
    const { contacts, effects, links, probe, random, self, table } = this.#parts;
    this.#armGossip(now);
    if (!self.leaving && table.active.length > 0) probe.arm(now);
    if (table.active.length > 0 || links.size > 0) {
      this.#exchangeAt ??= after(now, this.#exchangePauseMs(random.unit()));
    }
    if (!self.leaving) contacts.arm(now, table);
    return effects.drain();
  }

  /** Gossips as soon as there is news, but not more often than the interval allows. */
  #armGossip(now: Instant): void {
    const { config, dissemination, table } = this.#parts;
    if (this.#gossipAt !== undefined || !dissemination.hasNews || table.active.length === 0) return;
    const soonest =
      this.#gossipedAt === undefined ? now : after(this.#gossipedAt, config.gossipIntervalMs);
    this.#gossipAt = soonest > now ? soonest : now;
  }

  #exchangePauseMs(share: number): number {
    if (this.#eagerLeft > 0) return EAGER_INTERVAL_MS;
    const pauseMs = pushPullIntervalMs(this.#parts.config, this.#parts.table.activeCount);
    return pauseMs * (0.5 + share);
  }

  #viewOf(member: Member): MemberView {
    const { nodeId, generation, incarnation, liveness, meta } = member.update;
    if (meta === undefined) return unreachable(meta as never);
    const unstable = this.#parts.flaps.isUnstable(nodeId);
    return { nodeId, generation, incarnation, liveness, meta, unstable, sinceMs: member.since };
  }
}

function earlier(at: number, candidate: Instant | undefined): number {
  return candidate !== undefined && candidate < at ? candidate : at;
}
