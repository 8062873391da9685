import type { CallId, CallOptions, CallOutcome } from '@memgrid/core';
import { errorOfResult } from '@memgrid/protocol';
import type { ClusterError, OperationBody, Scope, ShardId } from '@memgrid/protocol';
import type { SessionShell } from './session-shell.ts';

export type Answered = Extract<CallOutcome, { readonly kind: 'answered' }>;
export type Near = Extract<CallOutcome, { readonly kind: 'near' }>;

type Failed = Extract<CallOutcome, { readonly kind: 'failed' }>;

interface Waiting {
  readonly resolve: (outcome: Answered | Near) => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
}

export interface Request {
  readonly body: OperationBody;
  readonly scope: Scope | undefined;
  readonly shard?: ShardId;
  readonly options: CallOptions;
  readonly signal: AbortSignal | undefined;
}

/** Promises of calls that are under way. */
export class PendingAnswers {
  readonly #shell: () => SessionShell;
  readonly #waiting = new Map<CallId, Waiting>();
  #nextCall: CallId = 1;

  constructor(shell: () => SessionShell) {
    this.#shell = shell;
  }

  /** Rejects with a `ClusterError`, or with the reason of the signal. */
  ask(request: Request): Promise<Answered | Near> {
    return new Promise((resolve, reject) => {
      const { body, scope, shard, options, signal } = request;
      signal?.throwIfAborted();
      const call = this.#nextCall;
      this.#nextCall += 1;
      const onAbort = signal === undefined ? undefined : () => this.#abort(call, signal);
      if (onAbort !== undefined) signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(call, { resolve, reject, signal, onAbort });
      this.#shell().call({ call, body, scope, shard, options });
    });
  }

  settle(call: CallId, outcome: CallOutcome): void {
    const waiting = this.#take(call);
    if (waiting === undefined) return;
    if (outcome.kind === 'failed') waiting.reject(errorOfOutcome(outcome));
    else waiting.resolve(outcome);
  }

  /** Nothing will be answered any more. */
  rejectAll(error: Error): void {
    for (const call of [...this.#waiting.keys()]) this.#take(call)?.reject(error);
  }

  #abort(call: CallId, signal: AbortSignal): void {
    const waiting = this.#take(call);
    if (waiting === undefined) return;
    this.#shell().push({ kind: 'abort', call });
    waiting.reject(signal.reason);
  }

  #take(call: CallId): Waiting | undefined {
    const waiting = this.#waiting.get(call);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(call);
    if (waiting.onAbort !== undefined) {
      waiting.signal?.removeEventListener('abort', waiting.onAbort);
    }
    return waiting;
  }
}

/** A read has no operation id, and none that could be asked for again. */
function errorOfOutcome({ result, operationId }: Failed): ClusterError {
  return errorOfResult(result, operationId === '' ? undefined : operationId);
}
