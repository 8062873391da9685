import { memberUpdateBytes } from '@memgrid/protocol';
import type { MemberUpdate, NodeId } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { Instant } from '../machine.ts';
import { retransmitLimit } from './membership-config.ts';
import type { MembershipConfig } from './membership-config.ts';
import { RumourQueue } from './rumour-queue.ts';
import type { Rumour } from './rumour-queue.ts';

const NOTHING: readonly MemberUpdate[] = [];

/** How often a rumour that is no news to most is still told. */
const LAZY_SENDS_MAX = 3;

/**
 * What this node still has to tell, and how often.
 *
 * News is gossiped and rides along with probes; accusations too, but no more than so many per
 * second; lazy rumours (a changed load, members read in a table) only ride along and never cause
 * a packet. One rumour per member and one per accuser, so the queues are bounded by the table.
 */
export class Dissemination {
  readonly #config: MembershipConfig;
  readonly #news = new RumourQueue();
  readonly #accusations = new RumourQueue();
  readonly #lazy = new RumourQueue();
  readonly #bySubject = new Map<NodeId, Rumour>();
  readonly #accusationsBySubject = new Map<NodeId, Rumour[]>();
  #memberCount = 1;
  #sendsMax: number;
  #allowance: number;
  #allowanceAt: Instant;

  constructor(config: MembershipConfig, now: Instant) {
    this.#config = config;
    this.#sendsMax = sendsMaxOf(config, 1);
    this.#allowance = config.suspicionsPerSecondMax;
    this.#allowanceAt = now;
  }

  /** Whether there is anything worth a packet of its own. */
  get hasNews(): boolean {
    return this.#news.liveCount > 0 || this.#accusations.liveCount > 0;
  }

  /** Rumours that wait. */
  get size(): number {
    return this.#news.liveCount + this.#accusations.liveCount + this.#lazy.liveCount;
  }

  /** Rumours are told more often in larger groups. */
  setMemberCount(count: number): void {
    if (count === this.#memberCount) return;
    this.#memberCount = count;
    this.#sendsMax = sendsMaxOf(this.#config, count);
  }

  /** Tells everybody; replaces whatever was being told about the same member. */
  tell(update: MemberUpdate): void {
    this.#replace(update, this.#news);
  }

  /** Tells with the next probes only. */
  tellLazily(update: MemberUpdate): void {
    const told = this.#bySubject.get(update.nodeId);
    const unsentNews = told !== undefined && told.queue === this.#news && told.sends === 0;
    // What replaces unsent news is news: it carries the older message as well.
    this.#replace(update, unsentNews ? this.#news : this.#lazy);
  }

  /** One accuser's accusation. Those of others about the same state are told as well. */
  accuse(update: MemberUpdate): void {
    const subject = update.nodeId;
    this.#retireNews(subject);
    const rumour = this.#newRumour(update, this.#accusations);
    const others = this.#accusationsBySubject.get(subject) ?? [];
    const current = others.filter((other) => isSameState(other.update, update));
    for (const other of others) if (!current.includes(other)) retire(other);
    this.#accusationsBySubject.set(subject, [...current, rumour]);
  }

  /** Nothing more is told about this member. */
  silence(subject: NodeId): void {
    this.#retireNews(subject);
    const accusations = this.#accusationsBySubject.get(subject);
    if (accusations === undefined) return;
    for (const rumour of accusations) retire(rumour);
    this.#accusationsBySubject.delete(subject);
  }

  /** What to send in one message, counted as sent. `bytesUsed` are taken up already. */
  take(now: Instant, bytesUsed = 0): readonly MemberUpdate[] {
    if (this.size === 0) return NOTHING;
    this.#refillAllowance(now);
    let room = this.#config.gossipBytesMax - bytesUsed;
    const taken: Rumour[] = [];
    while (true) {
      const next = this.#next();
      if (next === undefined || next.bytes > room) break;
      next.queue.take(next);
      room -= next.bytes;
      if (next.queue === this.#accusations) this.#allowance -= 1;
      taken.push(next);
    }
    // Put back only now: a lone rumour must not be taken twice for the same message.
    for (const rumour of taken) this.#putBack(rumour);
    return taken.length === 0 ? NOTHING : taken.map((rumour) => rumour.update);
  }

  #next(): Rumour | undefined {
    const news = this.#news.peek(this.#sendsMax);
    const accusation = this.#allowance >= 1 ? this.#accusations.peek(this.#sendsMax) : undefined;
    if (accusation !== undefined && (news === undefined || accusation.sends < news.sends)) {
      return accusation;
    }
    return news ?? this.#lazy.peek(LAZY_SENDS_MAX);
  }

  #putBack(rumour: Rumour): void {
    rumour.sends += 1;
    const sendsMax = rumour.queue === this.#lazy ? LAZY_SENDS_MAX : this.#sendsMax;
    if (rumour.sends < sendsMax) {
      rumour.queue.add(rumour);
      return;
    }
    rumour.stale = true;
    const subject = rumour.update.nodeId;
    if (this.#bySubject.get(subject) === rumour) this.#bySubject.delete(subject);
    const rest = this.#accusationsBySubject.get(subject)?.filter((other) => !other.stale);
    if (rest === undefined) return;
    if (rest.length === 0) this.#accusationsBySubject.delete(subject);
    else this.#accusationsBySubject.set(subject, rest);
  }

  #replace(update: MemberUpdate, queue: RumourQueue): void {
    this.silence(update.nodeId);
    this.#bySubject.set(update.nodeId, this.#newRumour(update, queue));
  }

  #newRumour(update: MemberUpdate, queue: RumourQueue): Rumour {
    const bytes = memberUpdateBytes(update);
    const rumour: Rumour = { update, bytes, queue, sends: 0, stale: false };
    queue.add(rumour);
    return rumour;
  }

  #retireNews(subject: NodeId): void {
    const told = this.#bySubject.get(subject);
    if (told === undefined) return;
    retire(told);
    this.#bySubject.delete(subject);
  }

  #refillAllowance(now: Instant): void {
    const perSecond = this.#config.suspicionsPerSecondMax;
    const gained = ((now - this.#allowanceAt) * perSecond) / 1000;
    this.#allowance = Math.min(perSecond, this.#allowance + gained);
    this.#allowanceAt = now;
  }
}

/** Whether two accusations accuse the same life and incarnation by different voices. */
function isSameState(told: MemberUpdate, next: MemberUpdate): boolean {
  return (
    told.generation === next.generation &&
    told.incarnation === next.incarnation &&
    told.by !== next.by
  );
}

function retire(rumour: Rumour): void {
  rumour.queue.retire(rumour);
}

function sendsMaxOf(config: MembershipConfig, memberCount: number): number {
  const floored = !broken('membership.retransmit-floor');
  return retransmitLimit(floored ? config : { ...config, retransmitFloor: 1 }, memberCount);
}
