import type {
  GroupEpoch,
  LogIndex,
  ElectionMessage,
  NodeId,
  ProposeOutcome,
  ProposeResp,
  ReadIndexResp,
  Term,
} from '@memgrid/protocol';
import { after, earliest, type Instant } from '../machine.ts';
import type { RequestId } from '../request-id.ts';

/** How long an outsider waits for the control group altogether … */
const REQUEST_MS = 3_000;
/** … and for one leader, before it asks who leads now. A lost message must not cost it all. */
const TRY_MS = 1_000;
/** Hints that are followed at once. Two nodes that name each other must not be asked in a circle. */
const HINTS_MAX = 4;
/** Requests under way. One more is refused at once. */
const REQUESTS_MAX = 1_024;

export type RemoteOutcome =
  | { readonly kind: 'proposed'; readonly request: RequestId; readonly outcome: ProposeOutcome }
  | {
      readonly kind: 'readable';
      readonly request: RequestId;
      readonly index: LogIndex | undefined;
    };

export type RemoteEffect =
  | { readonly kind: 'send'; readonly to: NodeId; readonly body: ElectionMessage }
  | { readonly kind: 'outcome'; readonly outcome: RemoteOutcome };

interface Pending {
  readonly id: RequestId;
  /** Undefined for a read. */
  readonly command: Uint8Array | undefined;
  readonly groupEpoch: GroupEpoch;
  readonly deadline: Instant;
  tryUntil: Instant;
  /** A proposal that was sent may have been appended, whatever happens next. */
  sent: boolean;
  /** Hints followed since the last pause. */
  hints: number;
}

/**
 * Requests to the control group from a node outside it: asks whoever is said to lead, follows
 * its hints, and answers each request exactly once.
 */
export class RemoteRequests {
  readonly #pending = new Map<RequestId, Pending>();
  #effects: RemoteEffect[] = [];

  get wakeAt(): Instant | undefined {
    let soonest: Instant | undefined;
    for (const pending of this.#pending.values()) {
      soonest = earliest(soonest, earliest(pending.deadline, pending.tryUntil));
    }
    return soonest;
  }

  /** @param command the encoded command, or undefined to ask for a read index. */
  start(
    now: Instant,
    request: { id: RequestId; command: Uint8Array | undefined; groupEpoch: GroupEpoch },
    leader: NodeId | undefined,
  ): readonly RemoteEffect[] {
    if (this.#pending.size >= REQUESTS_MAX) {
      this.#outcome({ ...request, sent: false }, { kind: 'overloaded' });
      return this.#take();
    }
    const pending: Pending = {
      ...request,
      deadline: after(now, REQUEST_MS),
      tryUntil: now,
      sent: false,
      hints: 0,
    };
    this.#pending.set(request.id, pending);
    this.#try(now, pending, leader);
    return this.#take();
  }

  proposed(now: Instant, body: ProposeResp): readonly RemoteEffect[] {
    const pending = this.#pending.get(body.request);
    if (pending?.command === undefined) return [];
    if (body.outcome.kind === 'notLeader') {
      // Certainly not appended there, so it may be sent to somebody else.
      pending.sent = false;
      pending.hints += 1;
      this.#try(now, pending, pending.hints <= HINTS_MAX ? body.outcome.leader : undefined);
    } else {
      this.#pending.delete(pending.id);
      this.#outcome(pending, body.outcome);
    }
    return this.#take();
  }

  readable(now: Instant, body: ReadIndexResp): readonly RemoteEffect[] {
    const pending = this.#pending.get(body.request);
    if (pending === undefined || pending.command !== undefined) return [];
    if (body.index === undefined) {
      pending.tryUntil = after(now, TRY_MS);
      return [];
    }
    this.#pending.delete(pending.id);
    this.#effects.push({
      kind: 'outcome',
      outcome: { kind: 'readable', request: pending.id, index: body.index },
    });
    return this.#take();
  }

  wake(now: Instant, leader: NodeId | undefined): readonly RemoteEffect[] {
    for (const pending of [...this.#pending.values()]) {
      if (pending.deadline <= now) {
        this.#pending.delete(pending.id);
        this.#outcome(pending, pending.sent ? { kind: 'unknown' } : { kind: 'notLeader', leader });
      } else if (pending.tryUntil <= now) {
        pending.hints = 0;
        this.#try(now, pending, leader);
      }
    }
    return this.#take();
  }

  /** Nobody can be asked any more: answers everything that waits. */
  stop(): readonly RemoteEffect[] {
    for (const pending of this.#pending.values()) {
      const leader = undefined;
      this.#outcome(pending, pending.sent ? { kind: 'unknown' } : { kind: 'notLeader', leader });
    }
    this.#pending.clear();
    return this.#take();
  }

  #try(now: Instant, pending: Pending, leader: NodeId | undefined): void {
    pending.tryUntil = after(now, leader === undefined ? TRY_MS / 4 : TRY_MS);
    // A proposal is sent once: sending it again could apply it twice.
    if (leader === undefined || (pending.sent && pending.command !== undefined)) return;
    pending.sent = true;
    const header = { groupEpoch: pending.groupEpoch, term: 0 as Term, request: pending.id };
    const body: ElectionMessage =
      pending.command === undefined
        ? { type: 'readIndex', ...header }
        : { type: 'propose', ...header, command: pending.command };
    this.#effects.push({ kind: 'send', to: leader, body });
  }

  #outcome(pending: Pick<Pending, 'id' | 'command' | 'sent'>, outcome: ProposeOutcome): void {
    const request = pending.id;
    this.#effects.push({
      kind: 'outcome',
      outcome:
        pending.command === undefined
          ? { kind: 'readable', request, index: undefined }
          : { kind: 'proposed', request, outcome },
    });
  }

  #take(): readonly RemoteEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
