import type { Generation, NodeId } from '@memgrid/protocol';
import { broken } from '#breaks';
import { DueQueue, NOT_QUEUED, type Due } from '../due-queue.ts';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';
import type { MembershipConfig } from './membership-config.ts';

interface RefusalCase extends Due {
  readonly member: NodeId;
  readonly generation: Generation;
  readonly openedAt: Instant;
  readonly refusers: NodeId[];
}

interface Life {
  readonly nodeId: NodeId;
  readonly generation: Generation;
}

/** After so many intervals without enough witnesses a case is closed: silence will decide. */
const INTERVALS_MAX = 10;

/** Witnesses beyond these add nothing. */
const REFUSERS_MAX = 4;

/**
 * Deaths told by operating systems: a refused connection means that nobody listens there.
 *
 * One refusal may be a local fault (a firewall, a stale route, a restart under way), so two
 * different nodes must be refused for the same life, and nobody may hear of it for one interval.
 */
export class Refusals {
  readonly #config: MembershipConfig;
  readonly #cases = new Map<NodeId, RefusalCase>();
  readonly #checks = new DueQueue<RefusalCase>();

  constructor(config: MembershipConfig) {
    this.#config = config;
  }

  get nextCheckAt(): Instant | undefined {
    return this.#checks.earliest;
  }

  /** Open cases, for the bounds check. */
  get size(): number {
    return this.#cases.size;
  }

  /** `by` was refused by this life of `member`: what that adds to what is known. */
  note(now: Instant, member: Life, by: NodeId): 'opened' | 'witnessed' | 'known' {
    const known = this.#cases.get(member.nodeId);
    if (known !== undefined && known.generation === member.generation) {
      if (known.refusers.length >= REFUSERS_MAX || known.refusers.includes(by)) return 'known';
      known.refusers.push(by);
      return 'witnessed';
    }
    const { nodeId, generation } = member;
    const opened: RefusalCase = {
      member: nodeId,
      generation,
      openedAt: now,
      refusers: [by],
      dueAt: NOT_QUEUED,
    };
    this.#cases.set(nodeId, opened);
    const waits = !broken('membership.refused-needs-two');
    this.#checks.add(waits ? after(now, this.#config.probeIntervalMs) : now, opened);
    return 'opened';
  }

  /** The member was heard from, or its fate is decided: whatever was refused does not count. */
  cancel(member: NodeId): void {
    if (this.#cases.size > 0) this.#cases.delete(member);
  }

  /**
   * The members to be taken for dead by now.
   *
   * @param tellers how many members could tell (alive, this node included): a lone survivor
   *   need not wait for a second witness who cannot exist.
   */
  convicted(now: Instant, tellers: number): readonly NodeId[] {
    const wanted = broken('membership.refused-needs-two') ? 1 : Math.max(1, Math.min(2, tellers));
    const result: NodeId[] = [];
    while (true) {
      const due = this.#checks.take(now);
      if (due === undefined) return result;
      if (this.#cases.get(due.member) !== due) continue;
      if (due.refusers.length >= wanted) {
        this.#cases.delete(due.member);
        result.push(due.member);
      } else if (now - due.openedAt >= INTERVALS_MAX * this.#config.probeIntervalMs) {
        this.#cases.delete(due.member);
      } else {
        this.#checks.add(after(now, this.#config.probeIntervalMs), due);
      }
    }
  }
}
