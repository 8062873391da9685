import type { NodeId } from '@memgrid/protocol';
import { after, type Instant } from '../machine.ts';
import type { RequestId } from '../request-id.ts';
import type { RaftState } from './raft-state.ts';

/** How far a hand-over is. */
export type HandoverStage =
  /** The target still lacks entries. */
  | 'catchingUp'
  /** The target was told to campaign. */
  | 'asked'
  /** We no longer lead, and nobody is known to lead yet. */
  | 'awaiting';

interface Current {
  readonly request: RequestId;
  readonly to: NodeId;
  readonly deadline: Instant;
  stage: HandoverStage;
}

/**
 * Giving leadership away (Raft dissertation, section 3.10). Outlives the leadership that began
 * it, because the answer is who leads afterwards.
 */
export class Handover {
  readonly #state: RaftState;
  #current: Current | undefined;

  constructor(state: RaftState) {
    this.#state = state;
  }

  get target(): NodeId | undefined {
    return this.#current?.to;
  }

  get stage(): HandoverStage | undefined {
    return this.#current?.stage;
  }

  get wakeAt(): Instant | undefined {
    return this.#current?.deadline;
  }

  /** Begins; an earlier one that is still under way is over. */
  begin(request: RequestId, to: NodeId): void {
    this.#finish('timeout');
    const deadline = after(this.#state.now, this.#state.config.transferTimeoutMs);
    this.#current = { request, to, deadline, stage: 'catchingUp' };
  }

  /** The target has everything and was told to campaign. */
  asked(): void {
    if (this.#current !== undefined) this.#current.stage = 'asked';
  }

  /** This node stopped leading. */
  ceased(): void {
    if (this.#current !== undefined) this.#current.stage = 'awaiting';
  }

  /** `leader` leads a later term. */
  succeeded(leader: NodeId): void {
    if (this.#current?.stage !== 'awaiting') return;
    const { request } = this.#current;
    this.#current = undefined;
    this.#state.effect({ kind: 'transferred', request, to: leader, problem: undefined });
  }

  wake(): void {
    if (this.#current !== undefined && this.#current.deadline <= this.#state.now) {
      this.#finish('timeout');
    }
  }

  #finish(problem: 'timeout'): void {
    if (this.#current === undefined) return;
    const { request, to } = this.#current;
    this.#current = undefined;
    this.#state.effect({ kind: 'transferred', request, to, problem });
  }
}
