import type { NodeId } from '@memgrid/protocol';
import { broken } from '#breaks';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';
import { confirmationsWanted, suspicionMaxMs, suspicionMinMs } from './membership-config.ts';
import type { MembershipConfig } from './membership-config.ts';

export interface SuspicionOptions {
  readonly config: MembershipConfig;
  readonly memberCount: number;
  readonly startedAt: Instant;
  readonly accuser: NodeId;
}

/**
 * Waits before believing that a silent member is dead.
 *
 * One accuser may itself be the sick node, so the wait starts long and shrinks with each
 * independent accuser (Lifeguard, Dadgar et al. 2017, section IV-B). See DESIGN.md, M4.
 */
export class Suspicion {
  readonly #accusers: NodeId[];
  readonly #startedAt: Instant;
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #wanted: number;
  #deadline: Instant;

  constructor(options: SuspicionOptions) {
    const { config, memberCount, startedAt, accuser } = options;
    this.#accusers = [accuser];
    this.#startedAt = startedAt;
    this.#minMs = suspicionMinMs(config, memberCount);
    this.#maxMs = suspicionMaxMs(config, memberCount);
    this.#wanted = confirmationsWanted(memberCount);
    this.#deadline = this.#computeDeadline();
  }

  /** When the member is taken for dead unless it answers. Only ever moves earlier. */
  get deadline(): Instant {
    return this.#deadline;
  }

  /** The first to accuse, then those who confirmed. */
  get accusers(): readonly NodeId[] {
    return this.#accusers;
  }

  /** Whether another accuser would still bring the deadline forward. */
  get wantsConfirmation(): boolean {
    return this.#accusers.length - 1 < this.#wanted;
  }

  /** True when `accuser` is a new voice that counts. Voices beyond those wanted are not kept. */
  confirm(accuser: NodeId): boolean {
    if (!this.wantsConfirmation || this.#accusers.includes(accuser)) return false;
    this.#accusers.push(accuser);
    this.#deadline = this.#computeDeadline();
    return true;
  }

  #computeDeadline(): Instant {
    if (broken('membership.suspicion-waits')) return this.#startedAt;
    if (!this.wantsConfirmation) return after(this.#startedAt, this.#minMs);
    const confirmations = this.#accusers.length - 1;
    const decay = Math.log(confirmations + 1) / Math.log(this.#wanted + 1);
    const waitMs = this.#maxMs - (this.#maxMs - this.#minMs) * decay;
    return after(this.#startedAt, Math.max(this.#minMs, waitMs));
  }
}
