import { NumberedItems } from '@memgrid/core';
import type { Call, CallId, CallOutcome } from '@memgrid/core';
import { errorOfResult } from '@memgrid/protocol';
import type { ClusterError } from '@memgrid/protocol';
import type { SessionShell } from './session-shell.ts';

export type Answered = Extract<CallOutcome, { readonly kind: 'answered' }>;
export type Near = Extract<CallOutcome, { readonly kind: 'near' }>;

type Failed = Extract<CallOutcome, { readonly kind: 'failed' }>;

/** Makes what a call resolves with of its outcome; `key` is that of the request, '' for a list. */
export type Show<T> = (outcome: Answered | Near, key: string) => T;

/** One call under way. What it resolves with is made here, without another promise in between. */
class Waiting<T> {
  readonly #resolvers: PromiseWithResolvers<T>;
  readonly #show: Show<T>;
  readonly #key: string;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;

  constructor({ body, signal }: Request, show: Show<T>, onAbort: (() => void) | undefined) {
    this.#resolvers = Promise.withResolvers<T>();
    this.#show = show;
    this.#key = body.kind === 'list' ? '' : body.key;
    this.#signal = signal;
    this.#onAbort = onAbort;
  }

  get promise(): Promise<T> {
    return this.#resolvers.promise;
  }

  resolve(outcome: Answered | Near): void {
    try {
      this.#resolvers.resolve(this.#show(outcome, this.#key));
    } catch (error) {
      this.#resolvers.reject(error);
    }
  }

  /** Its signal may outlive it. */
  release(): void {
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  reject(reason: unknown): void {
    this.#resolvers.reject(reason);
  }
}

/** A call that has no number yet. */
export const UNNUMBERED: CallId = 0;

/** A call as the session takes it, once it has its number. */
export interface Request extends Omit<Call, 'call'> {
  /** `UNNUMBERED` before it is asked. */
  call: CallId;
  readonly signal: AbortSignal | undefined;
}

/** Promises of calls that are under way. */
export class PendingAnswers {
  readonly #shell: () => SessionShell;
  readonly #waiting = new NumberedItems<Waiting<unknown>>();
  #nextCall: CallId = 1;

  constructor(shell: () => SessionShell) {
    this.#shell = shell;
  }

  /**
   * Rejects with a `ClusterError`, or with the reason of the signal.
   *
   * @throws the reason of a signal that is aborted already.
   */
  ask<T>(request: Request, show: Show<T>): Promise<T> {
    const { signal } = request;
    signal?.throwIfAborted();
    const call = this.#nextCall;
    this.#nextCall += 1;
    request.call = call;
    const onAbort = signal === undefined ? undefined : () => this.#abort(call, signal);
    if (onAbort !== undefined) signal?.addEventListener('abort', onAbort, { once: true });
    const waiting = new Waiting<T>(request, show, onAbort);
    // Whatever it resolves with, only its own promise sees it.
    this.#waiting.add(call, waiting as Waiting<unknown>);
    this.#shell().call(request);
    return waiting.promise;
  }

  settle(call: CallId, outcome: CallOutcome): void {
    const waiting = this.#take(call);
    if (waiting === undefined) return;
    if (outcome.kind === 'failed') waiting.reject(errorOfOutcome(outcome));
    else waiting.resolve(outcome);
  }

  /** Nothing will be answered any more. */
  rejectAll(error: Error): void {
    const waiting = this.#waiting.inOrder();
    this.#waiting.clear();
    for (const each of waiting) {
      each.release();
      each.reject(error);
    }
  }

  #abort(call: CallId, signal: AbortSignal): void {
    const waiting = this.#take(call);
    if (waiting === undefined) return;
    this.#shell().push({ kind: 'abort', call });
    waiting.reject(signal.reason);
  }

  #take(call: CallId): Waiting<unknown> | undefined {
    const waiting = this.#waiting.take(call);
    waiting?.release();
    return waiting;
  }
}

/** A read has no operation id, and none that could be asked for again. */
function errorOfOutcome({ result, operationId }: Failed): ClusterError {
  return errorOfResult(result, operationId === '' ? undefined : operationId);
}
