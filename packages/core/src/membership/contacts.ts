import type { NodeId } from '@memgrid/protocol';
import { broken } from '#breaks';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';
import type { Random } from '../random.ts';
import type { MembershipConfig } from './membership-config.ts';
import type { MemberTable } from './member-table.ts';

/** Somebody to make contact with. */
export interface Contact {
  readonly nodeId: NodeId;
  readonly address: string;
}

/** Attempts are spread over this many ticks per contact interval. */
const TICKS_PER_INTERVAL = 5;

/** Attempts of one node in one tick: a lone survivor of a thousand must not dial them all at once. */
const ATTEMPTS_PER_TICK_MAX = 32;

/**
 * Never forgets: tries every dead member, and every registered one that was never met, for ever.
 *
 * Each of A live nodes makes D/A attempts per interval for D missing members, so the whole cluster
 * tries each of them about once, whatever its size (serf's reconnect rule). A node that was cut
 * off alone tries everybody. See DESIGN.md, M13.
 */
export class Contacts {
  readonly #config: MembershipConfig;
  readonly #random: Random;
  #neverMet: Contact[] = [];
  #cursor = 0;
  #nextAt: Instant | undefined;

  constructor(config: MembershipConfig, random: Random) {
    this.#config = config;
    this.#random = random;
  }

  get nextAt(): Instant | undefined {
    return this.#nextAt;
  }

  /** Registered members that are not in the table yet. */
  setNeverMet(contacts: readonly Contact[]): void {
    this.#neverMet = [...contacts];
  }

  /** A member became known by gossip. */
  met(nodeId: NodeId): void {
    if (this.#neverMet.length === 0) return;
    this.#neverMet = this.#neverMet.filter((contact) => contact.nodeId !== nodeId);
  }

  /** Sleeps while nobody is missing. */
  arm(now: Instant, table: MemberTable): void {
    const missing = table.missing.length + this.#neverMet.length;
    if (missing === 0 || broken('membership.never-forget')) this.#nextAt = undefined;
    else this.#nextAt ??= after(now, this.#random.unit() * this.#tickMs());
  }

  /** Whom to try now. */
  due(now: Instant, table: MemberTable): readonly Contact[] {
    if (this.#nextAt === undefined || this.#nextAt > now) return [];
    this.#nextAt = after(now, this.#tickMs());
    const missing = table.missing.length + this.#neverMet.length;
    const expected = missing / table.activeCount / TICKS_PER_INTERVAL;
    const whole = Math.floor(expected);
    const attempts = whole + (this.#random.chance(expected - whole) ? 1 : 0);
    const result: Contact[] = [];
    for (let at = Math.min(attempts, missing, ATTEMPTS_PER_TICK_MAX); at > 0; at -= 1) {
      const contact = this.#next(now, table);
      if (contact !== undefined) result.push(contact);
    }
    return result;
  }

  #next(now: Instant, table: MemberTable): Contact | undefined {
    const { missing } = table;
    this.#cursor = (this.#cursor + 1) % (missing.length + this.#neverMet.length);
    const member = missing[this.#cursor];
    if (member === undefined) return this.#neverMet[this.#cursor - missing.length];
    if (member.address === '') return undefined;
    const { contactIntervalMs, contactIntervalMsMax, contactBackoffAfterMs } = this.#config;
    const longDead = now - member.since > contactBackoffAfterMs;
    if (longDead && !this.#random.chance(contactIntervalMs / contactIntervalMsMax))
      return undefined;
    return { nodeId: member.nodeId, address: member.address };
  }

  #tickMs(): number {
    return this.#config.contactIntervalMs / TICKS_PER_INTERVAL;
  }
}
