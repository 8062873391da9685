import type { ErrorCode, ErrorDetails } from '@memgrid/protocol';
import { DueQueue, NOT_QUEUED } from '../due-queue.ts';
import type { Instant } from '../machine.ts';
import { NumberedItems } from '../numbered-items.ts';
import { appliedOf, failureOf } from './call-outcome.ts';
import type { PendingCall } from './pending-call.ts';
import type { Call, CallId, CallOutcome, SessionEffect } from './session-io.ts';

const NEVER = Infinity as Instant;

/** The calls that have no outcome yet. Each gets exactly one, or is given up by the application. */
export class OpenCalls {
  readonly #emit: (effect: SessionEffect) => void;
  readonly #calls = new NumberedItems<PendingCall>();
  readonly #due = new DueQueue<PendingCall>();
  /** Waiting for a connection, or for the moment to be tried again. */
  readonly #waiting = new Set<PendingCall>();
  #bytes = 0;

  constructor(emit: (effect: SessionEffect) => void) {
    this.#emit = emit;
  }

  get count(): number {
    return this.#calls.count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get wakeAt(): Instant | undefined {
    return this.#due.earliest;
  }

  get waiting(): ReadonlySet<PendingCall> {
    return this.#waiting;
  }

  get(id: CallId): PendingCall | undefined {
    return this.#calls.get(id);
  }

  all(): readonly PendingCall[] {
    return this.#calls.inOrder();
  }

  add(call: PendingCall): void {
    this.#calls.add(call.id, call);
    this.#bytes += call.bytes;
  }

  /** It waits for something; attempts under way may still be answered. */
  wait(call: PendingCall): void {
    call.stage = 'waiting';
    call.hedgeAt = NEVER;
    call.attemptDeadline = NEVER;
    this.#waiting.add(call);
  }

  /** It is on its way, and waits for nothing but the answer. */
  waitNoMore(call: PendingCall): void {
    this.#waiting.delete(call);
  }

  /** Its next moment is another one than before. */
  reschedule(call: PendingCall): void {
    this.#due.add(call.nextDue(), call);
  }

  /** Whoever waits is looked at when its time is up, if nothing happens before. */
  schedule(call: PendingCall): void {
    if (!call.settled && call.dueAt === NOT_QUEUED) this.reschedule(call);
  }

  /** The next call whose moment has come; undefined when there is none. */
  takeDue(now: Instant): PendingCall | undefined {
    return this.#due.take(now);
  }

  settle(call: PendingCall, outcome: CallOutcome): void {
    this.forget(call);
    this.tell(call.id, outcome);
  }

  fail<Code extends ErrorCode>(call: PendingCall, code: Code, details: ErrorDetails[Code]): void {
    const { operationId } = call;
    this.settle(call, failureOf(code, details, { operationId, applied: appliedOf(call) }));
  }

  /** A call that was never taken in. */
  refuse<Code extends ErrorCode>(source: Call, code: Code, details: ErrorDetails[Code]): void {
    const { operationId } = source.options;
    this.tell(source.call, failureOf(code, details, { operationId, applied: 'no' }));
  }

  /** Without an outcome: the application does not want one any more. */
  forget(call: PendingCall): void {
    call.settled = true;
    this.#calls.take(call.id);
    this.#waiting.delete(call);
    this.#bytes -= call.bytes;
    this.#due.remove(call);
  }

  tell(call: CallId, outcome: CallOutcome): void {
    this.#emit({ kind: 'outcome', call, outcome });
  }
}
