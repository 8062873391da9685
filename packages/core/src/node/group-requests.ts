import {
  encodeCommand,
  type ControlCommand,
  type LogIndex,
  type NodeId,
  type ProposeOutcome,
} from '@memgrid/protocol';
import type { ElectionEffect } from '../election/election-io.ts';
import type { AutopilotEvent } from '../node-event.ts';
import type { PlannerEvent } from '../planner/planner-io.ts';
import type { NodeReply, NodeRequestProblem } from '../node-io.ts';
import type { RequestId } from '../request-id.ts';

/** What a coordinator tells of its work. */
export type CoordinatorEvent = AutopilotEvent | PlannerEvent;

/** Who waits for the outcome of a request to the control group. */
export type Origin =
  /** Somebody outside, who gets exactly one reply. */
  | { readonly kind: 'outside'; readonly request: RequestId; readonly about: 'change' | 'read' }
  /** This node registers itself; it looks at the registry for the outcome. */
  | { readonly kind: 'register' }
  /** The coordinator's own work; its next round sees what came of it. */
  | { readonly kind: 'coordination'; readonly events: readonly CoordinatorEvent[] }
  /** A leaving coordinator that hands over first. */
  | { readonly kind: 'leaving' };

export interface Answer {
  readonly kind: 'reply';
  readonly request: RequestId;
  readonly reply: NodeReply;
}

type Transferred = Extract<ElectionEffect, { kind: 'transferred' }>;

/** The requests under way in the control group, each answered exactly once. */
export class GroupRequests {
  readonly #origins = new Map<RequestId, Origin>();
  #next: RequestId;

  /** @param first where numbers begin: random, so that no answer to an earlier process fits. */
  constructor(first: RequestId) {
    this.#next = first;
  }

  /** Numbers a request. */
  track(origin: Origin): RequestId {
    const request = this.#next;
    this.#next += 1;
    this.#origins.set(request, origin);
    return request;
  }

  /** What is to be told once this request has committed. */
  eventsOf(request: RequestId): readonly CoordinatorEvent[] {
    const origin = this.#origins.get(request);
    return origin?.kind === 'coordination' ? origin.events : [];
  }

  proposed(request: RequestId, outcome: ProposeOutcome): Answer | undefined {
    const origin = this.#finish(request);
    if (origin?.kind !== 'outside') return undefined;
    return answer(origin.request, { kind: 'proposed', outcome });
  }

  readable(request: RequestId, index: LogIndex | undefined): Answer | undefined {
    const origin = this.#finish(request);
    if (origin?.kind !== 'outside') return undefined;
    if (index !== undefined) return answer(origin.request, { kind: 'readable', index });
    return failure(origin.request, 'noLeader', 'No coordinator confirmed itself in time.');
  }

  /** Also says whose hand-over it was: a leaving node goes on to its goodbye. */
  transferred(
    effect: Transferred,
    coordinator: NodeId | undefined,
  ): { origin: Origin['kind'] | undefined; answer: Answer | undefined } {
    const origin = this.#finish(effect.request);
    const reply = origin?.kind === 'outside' ? transferReply(effect, coordinator) : undefined;
    return {
      origin: origin?.kind,
      answer: origin?.kind === 'outside' && reply ? answer(origin.request, reply) : undefined,
    };
  }

  /** Nobody will answer any more: a change may or may not have happened, a read did not. */
  abandon(reason: NodeRequestProblem, detail: string): readonly Answer[] {
    const answers: Answer[] = [];
    for (const origin of this.#origins.values()) {
      if (origin.kind !== 'outside') continue;
      const { request, about } = origin;
      answers.push(
        about === 'change'
          ? answer(request, { kind: 'proposed', outcome: { kind: 'unknown' } })
          : failure(request, reason, detail),
      );
    }
    this.#origins.clear();
    return answers;
  }

  #finish(request: RequestId): Origin | undefined {
    const origin = this.#origins.get(request);
    this.#origins.delete(request);
    return origin;
  }
}

/** A command for the log, and who waits for its outcome. */
export function encodedChange(
  command: ControlCommand,
  origin: Origin,
): { readonly kind: 'change'; readonly command: Uint8Array; readonly origin: Origin } {
  return { kind: 'change', command: encodeCommand(command), origin };
}

/** A request that was refused before it began. */
export function failure(request: RequestId, reason: NodeRequestProblem, detail: string): Answer {
  return answer(request, { kind: 'failed', reason, detail });
}

function answer(request: RequestId, reply: NodeReply): Answer {
  return { kind: 'reply', request, reply };
}

function transferReply({ problem, to }: Transferred, coordinator: NodeId | undefined): NodeReply {
  if (problem === undefined && to !== undefined) return { kind: 'handedOver', leader: to };
  switch (problem) {
    case 'notLeader': {
      const detail = `This node does not lead; the coordinator is ${coordinator ?? 'unknown'}.`;
      return { kind: 'failed', reason: 'notLeader', detail };
    }
    case 'timeout':
      return {
        kind: 'failed',
        reason: 'timeout',
        detail: 'The successor did not take over in time.',
      };
    default:
      return {
        kind: 'failed',
        reason: 'badTarget',
        detail: 'The successor must be a voter, other than the coordinator, that is caught up.',
      };
  }
}
