import type { LogIndex, NodeId, ProposeOutcome } from '@memgrid/protocol';
import { after, earliest, type Instant } from '../machine.ts';
import type { RequestId } from '../request-id.ts';
import type { RaftState } from './raft-state.ts';

/** Who waits for an answer: somebody in this process, or a peer that forwarded it. */
export type Requester =
  | { readonly kind: 'local'; readonly request: RequestId }
  | { readonly kind: 'peer'; readonly from: NodeId; readonly request: number };

interface Pending {
  readonly requester: Requester;
  readonly deadline: Instant;
}

/** Request numbers of one peer that are remembered, to notice frames that arrive twice. */
const REMEMBERED_MAX = 1_024;

export function answerProposal(
  state: RaftState,
  requester: Requester,
  outcome: ProposeOutcome,
): void {
  const { request } = requester;
  if (requester.kind === 'local') state.effect({ kind: 'proposed', request, outcome });
  else state.send(requester.from, { type: 'proposeResp', request, outcome });
}

/** A leader's proposals that are in its log and not committed yet. */
export class Proposals {
  readonly #state: RaftState;
  /** By index, ascending, and so by deadline as well. */
  readonly #pending = new Map<LogIndex, Pending>();
  readonly #remembered = new Map<NodeId, Set<number>>();

  constructor(state: RaftState) {
    this.#state = state;
  }

  get count(): number {
    return this.#pending.size;
  }

  get wakeAt(): Instant | undefined {
    const first = this.#pending.values().next();
    return first.done === true ? undefined : earliest(first.value.deadline, undefined);
  }

  /** Whether this frame was seen before; remembers it. The first one will be answered. */
  isRepeated(from: NodeId, request: number): boolean {
    const requests = this.#remembered.get(from) ?? new Set<number>();
    if (requests.has(request)) return true;
    requests.add(request);
    this.#remembered.set(from, requests);
    const [oldest] = requests;
    if (requests.size > REMEMBERED_MAX && oldest !== undefined) requests.delete(oldest);
    return false;
  }

  add(index: LogIndex, requester: Requester): void {
    const deadline = after(this.#state.now, this.#state.config.requestTimeoutMs);
    this.#pending.set(index, { requester, deadline });
  }

  /** A leader never replaces its own entries, so an index that is committed holds what was proposed. */
  committedUpTo(commit: LogIndex): void {
    for (const [index, { requester }] of this.#pending) {
      if (index > commit) return;
      this.#pending.delete(index);
      answerProposal(this.#state, requester, { kind: 'committed', index });
    }
  }

  wake(): void {
    for (const [index, { requester, deadline }] of this.#pending) {
      if (deadline > this.#state.now) return;
      this.#pending.delete(index);
      answerProposal(this.#state, requester, { kind: 'unknown' });
    }
  }

  /** Leadership ends: the next leader may or may not commit them. */
  abandon(): void {
    for (const { requester } of this.#pending.values()) {
      answerProposal(this.#state, requester, { kind: 'unknown' });
    }
    this.#pending.clear();
  }
}
