import type { NodeId } from '@memgrid/protocol';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';
import type { MembershipConfig } from './membership-config.ts';

interface FlapRecord {
  penalty: number;
  at: Instant;
  unstable: boolean;
}

/** Penalties below this are forgotten. */
const FORGET_BELOW = 1;

/**
 * Remembers who is accused and refutes over and over.
 *
 * Such a member stays a member, but nobody should give it a role: each change of mind about it
 * would move that role (ringpop's damping, after BGP route flap damping, RFC 2439). At most a
 * tenth of the members may be unstable at once, so that a bad network does not disqualify all.
 */
export class FlapDamping {
  readonly #config: MembershipConfig;
  readonly #records = new Map<NodeId, FlapRecord>();
  #unstableCount = 0;
  #nextSettleAt: Instant | undefined;

  constructor(config: MembershipConfig) {
    this.#config = config;
  }

  /** When the next unstable member may be trusted again. */
  get nextSettleAt(): Instant | undefined {
    return this.#nextSettleAt;
  }

  isUnstable(member: NodeId): boolean {
    return this.#unstableCount > 0 && this.#records.get(member)?.unstable === true;
  }

  /** One suspicion was refuted. Returns the penalty when it made the member unstable. */
  refuted(now: Instant, member: NodeId, memberCount: number): number | undefined {
    const record = this.#records.get(member) ?? { penalty: 0, at: now, unstable: false };
    record.penalty = this.#decayed(record, now) + this.#config.flapPenalty;
    record.at = now;
    this.#records.set(member, record);
    const tooMany = this.#unstableCount >= unstableMax(this.#config, memberCount);
    const turns = !record.unstable && record.penalty > this.#config.flapSuppressAbove && !tooMany;
    if (turns) {
      record.unstable = true;
      this.#unstableCount += 1;
    }
    if (record.unstable) this.#scheduleSettle();
    if (this.#records.size > 2 * memberCount + 16) this.#forgetDecayed(now);
    return turns ? record.penalty : undefined;
  }

  /** The members that have calmed down by now. */
  settled(now: Instant): readonly NodeId[] {
    if (this.#nextSettleAt === undefined || this.#nextSettleAt > now) return [];
    const result: NodeId[] = [];
    for (const [member, record] of this.#records) {
      if (!record.unstable || this.#settlesAt(record) > now) continue;
      record.unstable = false;
      this.#unstableCount -= 1;
      result.push(member);
    }
    this.#scheduleSettle();
    return result;
  }

  /** A member that left takes its past with it. */
  forget(member: NodeId): void {
    if (this.#records.get(member)?.unstable === true) this.#unstableCount -= 1;
    this.#records.delete(member);
    this.#scheduleSettle();
  }

  #scheduleSettle(): void {
    this.#nextSettleAt = undefined;
    if (this.#unstableCount === 0) return;
    for (const record of this.#records.values()) {
      if (!record.unstable) continue;
      const at = this.#settlesAt(record);
      if (this.#nextSettleAt === undefined || at < this.#nextSettleAt) this.#nextSettleAt = at;
    }
  }

  #settlesAt(record: FlapRecord): Instant {
    const halvings = Math.log2(Math.max(1, record.penalty / this.#config.flapReuseBelow));
    return after(record.at, Math.ceil(halvings * this.#config.flapHalfLifeMs));
  }

  #decayed(record: FlapRecord, now: Instant): number {
    return record.penalty * 2 ** (-(now - record.at) / this.#config.flapHalfLifeMs);
  }

  #forgetDecayed(now: Instant): void {
    for (const [member, record] of this.#records) {
      if (!record.unstable && this.#decayed(record, now) < FORGET_BELOW) {
        this.#records.delete(member);
      }
    }
  }
}

/** How many members may be unstable at once: a tenth, but at least one. */
export function unstableMax(config: MembershipConfig, memberCount: number): number {
  return Math.max(1, Math.floor((memberCount * config.flapPercentMax) / 100));
}
