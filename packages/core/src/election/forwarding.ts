import type { LogIndex, NodeId, ProposeOutcome } from '@memgrid/protocol';
import { after, type Instant } from '../machine.ts';
import type { RequestId } from '../request-id.ts';
import { answerProposal } from './proposals.ts';
import type { RaftState } from './raft-state.ts';
import { answerRead } from './reads.ts';

interface Forwarded {
  readonly kind: 'propose' | 'read';
  readonly request: RequestId;
  readonly to: NodeId;
  readonly deadline: Instant;
}

/**
 * What this node asked the leader on behalf of somebody in this process.
 *
 * Each request is answered exactly once: by the leader, or `unknown` when the leader, the link to
 * it, or three seconds are gone. Nothing is asked twice: the leader might do it twice.
 */
export class Forwarding {
  readonly #state: RaftState;
  /** By our own number for the request, in the order of asking, and so of deadlines. */
  readonly #asked = new Map<number, Forwarded>();
  /** Begins somewhere random, so that an answer to an earlier process fits none of ours. */
  #lastNumber: number;

  constructor(state: RaftState) {
    this.#state = state;
    this.#lastNumber = state.random.uint32() * 4_096;
  }

  get count(): number {
    return this.#asked.size;
  }

  get wakeAt(): Instant | undefined {
    const first = this.#asked.values().next();
    return first.done === true ? undefined : first.value.deadline;
  }

  propose(to: NodeId, request: RequestId, command: Uint8Array): void {
    const number = this.#note({ kind: 'propose', request, to });
    this.#state.send(to, { type: 'propose', request: number, command });
  }

  read(to: NodeId, request: RequestId): void {
    const number = this.#note({ kind: 'read', request, to });
    this.#state.send(to, { type: 'readIndex', request: number });
  }

  proposeAnswered(from: NodeId, number: number, outcome: ProposeOutcome): void {
    const forwarded = this.#take(from, number, 'propose');
    if (forwarded === undefined) return;
    answerProposal(this.#state, { kind: 'local', request: forwarded.request }, outcome);
  }

  readAnswered(from: NodeId, number: number, index: LogIndex | undefined): void {
    const forwarded = this.#take(from, number, 'read');
    if (forwarded === undefined) return;
    answerRead(this.#state, { kind: 'local', request: forwarded.request }, index);
  }

  /** Whatever was asked of anybody but `leader` will not be answered any more. */
  abandonExcept(leader: NodeId | undefined): void {
    this.#abandon((forwarded) => forwarded.to !== leader);
  }

  /** The link to `peer` is gone, and the answers with it. */
  reset(peer: NodeId): void {
    this.#abandon((forwarded) => forwarded.to === peer);
  }

  wake(): void {
    this.#abandon((forwarded) => forwarded.deadline <= this.#state.now);
  }

  #note(asked: Omit<Forwarded, 'deadline'>): number {
    this.#lastNumber += 1;
    const deadline = after(this.#state.now, this.#state.config.requestTimeoutMs);
    this.#asked.set(this.#lastNumber, { ...asked, deadline });
    return this.#lastNumber;
  }

  #take(from: NodeId, number: number, kind: Forwarded['kind']): Forwarded | undefined {
    const forwarded = this.#asked.get(number);
    if (forwarded === undefined || forwarded.to !== from || forwarded.kind !== kind) {
      return undefined;
    }
    this.#asked.delete(number);
    return forwarded;
  }

  #abandon(isLost: (forwarded: Forwarded) => boolean): void {
    for (const [number, forwarded] of this.#asked) {
      if (!isLost(forwarded)) continue;
      this.#asked.delete(number);
      const requester = { kind: 'local', request: forwarded.request } as const;
      if (forwarded.kind === 'propose') {
        answerProposal(this.#state, requester, { kind: 'unknown' });
      } else {
        answerRead(this.#state, requester, undefined);
      }
    }
  }
}
