import type { Generation, MembershipMessage, MemberUpdate, NodeId } from '@memgrid/protocol';
import { unreachable } from '../assert.ts';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';
import type { Member } from './member.ts';
import type { MembershipParts } from './membership-parts.ts';
import type { Channel } from './merge-rule.ts';

type Body<Type extends MembershipMessage['type']> = Extract<MembershipMessage, { type: Type }>;

/** Who sent the message being handled: the owner of the connection it came on. */
interface Sender {
  readonly from: NodeId;
  /** Undefined while the sender is not in the table. */
  readonly member: Member | undefined;
}

const NOTHING: readonly MemberUpdate[] = [];

/** Messages of strangers that make us compare tables: one a second is enough to get acquainted. */
const ACQUAINTANCE_MS = 1000;

/** Handles what peers say. */
export class Conversation {
  readonly #parts: MembershipParts;
  #stalledMs = 0;
  #tellStallUntil: Instant | undefined;
  #acquaintAt: Instant | undefined;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** Peers are told of this pause in the acknowledgements of the next interval. */
  noteStall(now: Instant, stalledMs: number): void {
    this.#stalledMs = stalledMs;
    this.#tellStallUntil = after(now, this.#parts.config.probeIntervalMs);
  }

  receive(now: Instant, from: NodeId, generation: Generation, body: MembershipMessage): void {
    const { beliefs, self, table, effects } = this.#parts;
    if (from === self.update.nodeId) {
      self.superseded(generation);
      return;
    }
    if (beliefs.isExpelled(from)) return;
    const member = table.get(from);
    if (member !== undefined && generation < member.update.generation) {
      // A life that is over: it learns here that a later one has begun.
      const known: MembershipMessage = { type: 'gossip', updates: [member.update] };
      effects.sendTo(from, this.#addressOf(from), known);
      return;
    }
    this.#credit(now, from, generation);
    this.#handle(now, { from, member }, body);
  }

  /** Something arrived from this life of a peer: it is there. */
  #credit(now: Instant, from: NodeId, generation: Generation): void {
    const { beliefs, refusals, table } = this.#parts;
    const member = table.get(from);
    if (member === undefined) {
      this.#acquaint(now, from);
      return;
    }
    if (generation > member.update.generation) {
      beliefs.beginLife(now, member, generation);
      this.#acquaint(now, from);
    }
    member.heardAt = now;
    refusals.cancel(from);
  }

  #handle(now: Instant, sender: Sender, body: MembershipMessage): void {
    switch (body.type) {
      case 'ping':
        return this.#ping(now, sender, body);
      case 'ack':
        return this.#ack(now, sender, body);
      case 'pingReq':
        return this.#pingReq(now, sender, body);
      case 'indirectAck':
        this.#parts.probe.acknowledgedIndirectly(sender.from, body.probe, body.target);
        return this.#reply(now, sender, this.#hear(now, sender, body.updates, 'gossip'));
      case 'nack':
        return this.#parts.probe.refused(sender.from, body.probe);
      case 'gossip':
        return this.#reply(now, sender, this.#hear(now, sender, body.updates, 'gossip'));
      case 'pushPullReq':
        return this.#parts.pushPull.answer(sender.from, this.#addressOf(sender.from), body);
      case 'pushPullResp':
        return this.#pushPullResp(now, sender, body);
      case 'refused':
        return this.#refused(now, sender, body);
      default:
        return unreachable(body);
    }
  }

  #ping(now: Instant, sender: Sender, body: Body<'ping'>): void {
    const { courier, effects } = this.#parts;
    const answers = this.#hear(now, sender, body.updates, 'gossip');
    const telling = this.#tellStallUntil !== undefined && now <= this.#tellStallUntil;
    effects.sendTo(sender.from, this.#addressOf(sender.from), {
      type: 'ack',
      probe: body.probe,
      stalledMs: telling ? this.#stalledMs : 0,
      updates: courier.load(now, this.#parts.table.get(sender.from), answers),
    });
  }

  #ack(now: Instant, sender: Sender, body: Body<'ack'>): void {
    const { beliefs, config, courier, effects, errands, probe } = this.#parts;
    const answers = this.#hear(now, sender, body.updates, 'gossip');
    if (!probe.acknowledged(sender.from, body.probe)) {
      const errand = errands.fulfil(body.probe, sender.from);
      if (errand !== undefined) {
        effects.sendTo(errand.requester, this.#addressOf(errand.requester), {
          type: 'indirectAck',
          probe: errand.requesterProbe,
          target: errand.target,
          updates: courier.load(now, undefined),
        });
      }
    }
    const { member } = sender;
    if (member !== undefined && body.stalledMs >= config.stallReportsMs)
      beliefs.pardon(now, member);
    this.#reply(now, sender, answers);
  }

  #pingReq(now: Instant, sender: Sender, body: Body<'pingReq'>): void {
    const { courier, effects, errands, table, self } = this.#parts;
    const { from } = sender;
    this.#reply(now, sender, this.#hear(now, sender, body.updates, 'gossip'));
    const { target, targetAddress, probe: requesterProbe } = body;
    if (target === self.update.nodeId) {
      const updates = courier.load(now, undefined);
      const reached: MembershipMessage = {
        type: 'indirectAck',
        probe: requesterProbe,
        target,
        updates,
      };
      effects.sendTo(from, this.#addressOf(from), reached);
      return;
    }
    const probe = this.#parts.nextNumber();
    if (!errands.accept(now, { probe, requester: from, requesterProbe, target })) return;
    const member = table.get(target);
    const updates = courier.load(now, member);
    const address = member?.address ?? targetAddress;
    effects.sendTo(target, address, { type: 'ping', probe, updates });
  }

  /** Errands whose target did not answer in time: the requester learns that we at least are here. */
  reportFailedErrands(now: Instant): void {
    const { effects, errands } = this.#parts;
    while (true) {
      const errand = errands.takeDue(now);
      if (errand === undefined) return;
      const { requester, requesterProbe: probe, target } = errand;
      effects.sendTo(requester, this.#addressOf(requester), { type: 'nack', probe, target });
    }
  }

  #pushPullResp(now: Instant, sender: Sender, body: Body<'pushPullResp'>): void {
    const lesson = this.#parts.pushPull.isFirstLesson(sender.from, body);
    const answers = this.#hear(now, sender, body.updates, lesson ? 'firstTable' : 'table');
    // In an exchange of ours the peer gets all that it lacks at the end; no need to say it twice.
    const ours = this.#parts.pushPull.answered(sender.from, body);
    if (!ours) this.#reply(now, sender, answers);
  }

  #refused(now: Instant, sender: Sender, body: Body<'refused'>): void {
    const { beliefs, effects, links, refusals, table } = this.#parts;
    const target = table.get(body.target);
    if (target === undefined || target === table.self || !target.isActive) return;
    if (target.update.generation !== body.generation) return;
    const adds = refusals.note(now, target.update, sender.from);
    // Without a link of our own nothing broke here: try, and become a witness.
    if (adds === 'opened' && !links.has(target.nodeId)) {
      effects.contact(target.nodeId, target.address);
    }
    beliefs.accuse(now, target, sender.from);
  }

  /** Takes in rumours; returns what the speaker should be told in return. */
  #hear(
    now: Instant,
    sender: Sender,
    updates: readonly MemberUpdate[],
    source: 'gossip' | 'table' | 'firstTable',
  ): readonly MemberUpdate[] {
    if (updates.length === 0) return NOTHING;
    const { beliefs, self } = this.#parts;
    const channel: Channel = source === 'gossip' ? 'gossip' : 'table';
    const speaker = { from: sender.from, channel, worthRetelling: source !== 'firstTable' };
    // One answer for each member spoken of, however many voices accuse it: an accused on a slow link
    // would otherwise fill it with copies of one refutation, and look the more suspect for it.
    const answers = new Map<NodeId, MemberUpdate>();
    for (const update of updates) {
      const answer =
        update.nodeId === self.update.nodeId
          ? self.spokenOf(now, update, this.#selfContext(now))
          : beliefs.hear(now, update, speaker);
      if (answer !== undefined) answers.set(answer.nodeId, answer);
    }
    return [...answers.values()];
  }

  #selfContext(now: Instant): { readonly stalledMs: number; readonly refuted: () => void } {
    const recent = this.#tellStallUntil !== undefined && now <= this.#tellStallUntil;
    return {
      stalledMs: recent ? this.#stalledMs : 0,
      refuted: () => this.#parts.adjustHealth(1),
    };
  }

  #reply(now: Instant, sender: Sender, answers: readonly MemberUpdate[]): void {
    if (answers.length === 0) return;
    const updates = this.#parts.courier.load(now, undefined, answers);
    const { from } = sender;
    this.#parts.effects.sendTo(from, this.#addressOf(from), { type: 'gossip', updates });
  }

  /** Somebody whom we do not know, or not in this life, talks to us: compare tables. */
  #acquaint(now: Instant, from: NodeId): void {
    if (this.#acquaintAt !== undefined && now < this.#acquaintAt) return;
    this.#acquaintAt = after(now, ACQUAINTANCE_MS);
    this.#parts.pushPull.open(now, from, this.#addressOf(from));
  }

  #addressOf(peer: NodeId): string {
    return this.#parts.table.get(peer)?.address ?? this.#parts.links.get(peer)?.address ?? '';
  }
}
