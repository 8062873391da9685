import type { Generation, Incarnation, MemberUpdate, NodeId } from '@memgrid/protocol';
import { DueQueue, NOT_QUEUED, type Due } from '../due-queue.ts';
import type { Instant } from '../machine.ts';
import type { Digest } from '../digest.ts';
import type { Contacts } from './contacts.ts';
import type { Dissemination } from './dissemination.ts';
import type { EffectBuffer } from './effect-buffer.ts';
import type { FlapDamping } from './flap-damping.ts';
import { isSigned } from './leave-key.ts';
import type { MembershipConfig } from './membership-config.ts';
import type { Member } from './member.ts';
import type { MemberTable } from './member-table.ts';
import { mergeVerdict, relationOf } from './merge-rule.ts';
import type { Channel } from './merge-rule.ts';
import type { ProbeList } from './probe-list.ts';
import type { Refusals } from './refusals.ts';
import { Strangers } from './strangers.ts';
import { Suspicion } from './suspicion.ts';

export interface BeliefsOptions {
  readonly config: MembershipConfig;
  readonly digest: Digest;
  readonly table: MemberTable;
  readonly dissemination: Dissemination;
  readonly effects: EffectBuffer;
  readonly list: ProbeList;
  readonly flaps: FlapDamping;
  readonly refusals: Refusals;
  readonly contacts: Contacts;
}

/** Who says something, and how it came. */
export interface Speaker {
  readonly from: NodeId;
  readonly channel: Channel;
  /** Whether strangers it tells of are worth mentioning to others. */
  readonly worthRetelling: boolean;
}

type Evidence = 'silence' | 'refused' | 'gossip';

interface Deadline extends Due {
  readonly member: Member;
  readonly suspicion: Suspicion;
}

/**
 * What this node believes about the other members, and how it changes its mind.
 *
 * Every change goes through `#believe`: there the suspicion starts or ends, the event is told and
 * the rumour is passed on, so no path can forget one of them.
 */
export class Beliefs {
  readonly #options: BeliefsOptions;
  readonly #table: MemberTable;
  readonly #strangers = new Strangers();
  readonly #deadlines = new DueQueue<Deadline>();
  #expelled: ReadonlySet<NodeId> = new Set();
  /** After a long pause of its own this node convicts nobody of silence before this moment. */
  #patientUntil: Instant;
  #fullTold = false;

  constructor(options: BeliefsOptions, now: Instant) {
    this.#options = options;
    this.#table = options.table;
    this.#patientUntil = now;
  }

  /** When the next suspicion may run out. */
  get nextDeadline(): Instant | undefined {
    const next = this.#deadlines.earliest;
    if (next === undefined) return undefined;
    return next > this.#patientUntil ? next : this.#patientUntil;
  }

  isExpelled(id: NodeId): boolean {
    return this.#expelled.size > 0 && this.#expelled.has(id);
  }

  setExpelled(expelled: ReadonlySet<NodeId>): void {
    this.#expelled = expelled;
  }

  /** Convicts nobody of silence before `moment`: this node itself could not listen. */
  bePatientUntil(moment: Instant): void {
    this.#patientUntil = moment;
  }

  /** Takes in what was said about another member. Returns what to answer, if anything. */
  hear(now: Instant, said: MemberUpdate, speaker: Speaker): MemberUpdate | undefined {
    if (this.isExpelled(said.nodeId)) return undefined;
    const member = this.#table.get(said.nodeId);
    if (member === undefined) {
      const verdict = mergeVerdict('unknown', said, { relation: 'same', channel: speaker.channel });
      if (verdict === 'introduce') this.#introduce(now, said, speaker);
      return undefined;
    }
    const held = member.update;
    const relation = relationOf(held, said);
    const { channel } = speaker;
    switch (mergeVerdict(held.liveness, said, { relation, channel })) {
      case 'ignore':
      case 'introduce':
        return undefined;
      case 'adopt':
        this.#adopt(now, member, said);
        return undefined;
      case 'adoptAsSuspect':
        this.#adopt(now, member, { ...said, liveness: 'suspect', by: speaker.from });
        return undefined;
      case 'confirm':
        // A table's verdict is the voice of whose table it is: it waited for this member as well.
        this.confirm(now, member, said.liveness === 'dead' ? speaker.from : said.by);
        return undefined;
      case 'checkLeave':
        this.#checkLeave(now, member, said, speaker);
        return undefined;
      case 'answer':
        return accusationOf(held);
    }
  }

  /** This node, or a peer on its word, finds no way to an active member. */
  accuse(now: Instant, member: Member, by: NodeId): void {
    if (member.update.liveness === 'suspect') this.confirm(now, member, by);
    else if (member.update.liveness === 'alive') {
      this.#believe(now, member, { ...member.update, liveness: 'suspect', by });
    }
  }

  /** One more voice about a suspicion that is held. */
  confirm(now: Instant, member: Member, by: NodeId): void {
    const suspicion = member.suspicion;
    if (suspicion === undefined || !suspicion.confirm(by)) return;
    this.#await(member, suspicion);
    this.#options.dissemination.accuse({ ...member.update, by });
  }

  /** Convicts those whose time to answer has run out. */
  expire(now: Instant): void {
    if (now < this.#patientUntil) return;
    while (true) {
      const due = this.#deadlines.take(now);
      if (due === undefined) return;
      const { member, suspicion } = due;
      if (member.suspicion !== suspicion || suspicion.deadline > now) continue;
      this.die(now, member, 'silence');
    }
  }

  /** This node itself is certain that the member is gone. */
  die(now: Instant, member: Member, evidence: Evidence): void {
    if (!member.isActive) return;
    const by = this.#table.self.nodeId;
    this.#believe(now, member, { ...member.update, liveness: 'dead', by }, { evidence });
  }

  /** The member explained its silence: a suspicion about it was a mistake, refuted or not. */
  pardon(now: Instant, member: Member): void {
    if (member.update.liveness !== 'suspect') return;
    const { nodeId } = member;
    this.#believe(
      now,
      member,
      { ...member.update, liveness: 'alive', by: nodeId },
      { telling: 'not' },
    );
  }

  /** A later life of the member speaks. Until it introduces itself its old metadata stands in. */
  beginLife(now: Instant, member: Member, generation: Generation): void {
    const provisional: MemberUpdate = {
      ...member.update,
      generation,
      // Lives start at incarnation 1, so whatever the member says about itself outranks this.
      incarnation: 0 as Incarnation,
      liveness: 'alive',
      by: member.nodeId,
      leaveKey: undefined,
    };
    this.#believe(now, member, provisional, { telling: 'not' });
  }

  /** The committed registry says that this life is over. */
  retire(now: Instant, member: Member): void {
    if (member.update.liveness === 'left') return;
    this.#believe(now, member, { ...member.update, liveness: 'left' }, { telling: 'not' });
  }

  #adopt(now: Instant, member: Member, said: MemberUpdate): void {
    // Accusations may travel without the metadata that we know already.
    const meta = said.meta ?? member.update.meta;
    this.#believe(now, member, meta === said.meta ? said : { ...said, meta });
  }

  #checkLeave(now: Instant, member: Member, said: MemberUpdate, speaker: Speaker): void {
    if (isSigned(this.#options.digest, said, member.update.meta)) {
      this.#adopt(now, member, said);
      return;
    }
    // The lock of a later life is not known before it has introduced itself: its goodbye cannot be
    // judged, only waited for.
    const { generation, incarnation } = member.update;
    if (said.generation !== generation || incarnation === 0) return;
    this.#options.effects.event({
      name: 'member.leaveForged',
      member: member.nodeId,
      by: speaker.from,
    });
  }

  #introduce(now: Instant, said: MemberUpdate, speaker: Speaker): void {
    const { dissemination, contacts } = this.#options;
    if (said.meta === undefined) {
      // Nobody could dial it: it is not known, but it must hear of the accusation all the same.
      if (said.liveness !== 'alive' && this.#strangers.isNews(said)) dissemination.accuse(said);
      return;
    }
    if (this.#isFull(said.nodeId)) return;
    this.#strangers.met(said.nodeId);
    contacts.met(said.nodeId);
    const softened = said.liveness === 'dead' && speaker.channel === 'table';
    const update: MemberUpdate = softened
      ? { ...said, liveness: 'suspect', by: speaker.from }
      : said;
    const member = this.#table.add(update, now);
    // What a table tells about third parties is no news to those who told its owner.
    const secondHand = speaker.channel === 'table' && speaker.from !== said.nodeId;
    const telling = !secondHand ? 'at once' : speaker.worthRetelling ? 'lazily' : 'not';
    this.#settle(now, member, { before: undefined, telling });
  }

  #isFull(refused: NodeId): boolean {
    const { config, effects } = this.#options;
    const full = this.#table.size >= config.membersMax;
    if (full && !this.#fullTold) {
      effects.event({ name: 'members.full', refused, membersMax: config.membersMax });
    }
    this.#fullTold = full;
    return full;
  }

  #believe(now: Instant, member: Member, next: MemberUpdate, how: How = {}): void {
    const before = member.update;
    const newLife = next.generation !== before.generation;
    if (newLife || next.liveness !== 'suspect' || next.incarnation > before.incarnation) {
      this.#options.refusals.cancel(member.nodeId);
    }
    this.#table.change(member, next, now);
    if (newLife) member.heardAt = now;
    this.#settle(now, member, { ...how, before });
  }

  /** Draws the consequences of a changed belief: suspicion, probes, events, rumours. */
  #settle(now: Instant, member: Member, change: How & { before: MemberUpdate | undefined }): void {
    const { list, flaps, dissemination } = this.#options;
    const { before, telling = 'at once' } = change;
    const { update } = member;
    member.suspicion = undefined;
    if (update.liveness === 'suspect') this.#beginSuspicion(now, member);
    if (member.isActive && !(before !== undefined && isActive(before))) list.add(member);
    if (update.liveness === 'left') flaps.forget(member.nodeId);
    this.#tellEvents(now, member, change);
    dissemination.setMemberCount(this.#table.activeCount);
    if (telling === 'not') dissemination.silence(member.nodeId);
    else if (update.liveness === 'suspect') dissemination.accuse(update);
    else if (telling === 'lazily') dissemination.tellLazily(update);
    else dissemination.tell(update);
  }

  #beginSuspicion(now: Instant, member: Member): void {
    const suspicion = new Suspicion({
      config: this.#options.config,
      memberCount: this.#table.activeCount,
      startedAt: now,
      accuser: member.update.by,
    });
    member.suspicion = suspicion;
    this.#await(member, suspicion);
    this.#options.list.urge(member);
  }

  /** Whether the deadline still stands is asked when it comes: refuting a suspicion costs nothing. */
  #await(member: Member, suspicion: Suspicion): void {
    this.#deadlines.add(suspicion.deadline, { member, suspicion, dueAt: NOT_QUEUED });
  }

  #tellEvents(
    now: Instant,
    member: Member,
    change: How & { before: MemberUpdate | undefined },
  ): void {
    const { effects } = this.#options;
    const { nodeId, update, address } = member;
    const { generation, incarnation, liveness, by } = update;
    const { before, evidence = 'gossip' } = change;
    const newLife = before !== undefined && before.generation !== generation;
    if (before === undefined && member.isActive) {
      effects.event({ name: 'member.joined', member: nodeId, generation, address });
    } else if (newLife && member.isActive) {
      effects.event({ name: 'member.restarted', member: nodeId, generation });
    } else if (before !== undefined && isAccused(before) && incarnation > before.incarnation) {
      this.#recovered(now, member, before);
    } else if (before?.liveness === 'suspect' && liveness === 'alive') {
      effects.event({ name: 'member.recovered', member: nodeId, incarnation });
    }
    const was = newLife ? undefined : before?.liveness;
    if (liveness === was) return;
    if (liveness === 'suspect') effects.event({ name: 'member.suspected', member: nodeId, by });
    if (liveness === 'left') effects.event({ name: 'member.left', member: nodeId });
    if (liveness !== 'dead') return;
    const silentMs = now - member.heardAt;
    effects.event({ name: 'member.died', member: nodeId, generation, by, evidence, silentMs });
  }

  /** A higher incarnation proves that the member answered an accusation. */
  #recovered(now: Instant, member: Member, before: MemberUpdate): void {
    const { effects, flaps } = this.#options;
    const { nodeId, update } = member;
    if (update.liveness === 'dead' || update.liveness === 'left') return;
    const penalty = flaps.refuted(now, nodeId, this.#table.activeCount);
    if (penalty !== undefined) effects.event({ name: 'member.flapping', member: nodeId, penalty });
    if (update.liveness === 'suspect' && before.liveness === 'suspect') return;
    effects.event({ name: 'member.recovered', member: nodeId, incarnation: update.incarnation });
  }
}

/** What a change of mind rests on, and how it is passed on. */
interface How {
  readonly evidence?: Evidence;
  readonly telling?: 'at once' | 'lazily' | 'not';
}

/**
 * A belief as it is told to somebody who is behind. A death becomes an accusation: on the other
 * side of a healed partition the member may be well, and must get its time to answer.
 */
export function accusationOf(held: MemberUpdate): MemberUpdate | undefined {
  if (held.liveness === 'dead') return { ...held, liveness: 'suspect' };
  if (held.liveness === 'left' && held.leaveKey === undefined) return undefined;
  return held;
}

function isActive({ liveness }: MemberUpdate): boolean {
  return liveness === 'alive' || liveness === 'suspect';
}

function isAccused({ liveness }: MemberUpdate): boolean {
  return liveness === 'suspect' || liveness === 'dead';
}
