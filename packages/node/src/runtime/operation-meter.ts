import type { LinkId } from '@memgrid/core';
import type { Answer, ClientMessage, Operation } from '@memgrid/protocol';

export type OperationKind = Operation['body']['kind'];

/** `unknown`: the caller cannot tell whether a write took place. */
export type OperationOutcome = 'ok' | 'failed' | 'unknown';

export type OnOperation = (kind: OperationKind, outcome: OperationOutcome, seconds: number) => void;

interface Begun {
  readonly kind: OperationKind;
  readonly atMs: number;
}

/**
 * Measures what clients wait for: from the frame that asks to the frame that answers, at the node
 * that they are connected to. Bounded, because the machine answers every operation, and those of one
 * connection end with it.
 */
export class OperationMeter {
  readonly #now: () => number;
  readonly #onOperation: OnOperation;
  readonly #begun = new Map<LinkId, Map<number, Begun>>();

  /** @param now milliseconds on any clock that does not jump. */
  constructor(now: () => number, onOperation: OnOperation) {
    this.#now = now;
    this.#onOperation = onOperation;
  }

  received(link: LinkId, message: ClientMessage): void {
    if (message.type !== 'operations') return;
    const atMs = this.#now();
    const begun = this.#begun.get(link) ?? new Map<number, Begun>();
    for (const { id, body } of message.operations) begun.set(id, { kind: body.kind, atMs });
    this.#begun.set(link, begun);
  }

  sent(link: LinkId, message: ClientMessage): void {
    if (message.type !== 'answers') return;
    const begun = this.#begun.get(link);
    const nowMs = this.#now();
    for (const answer of message.answers) {
      const operation = begun?.get(answer.id);
      if (operation === undefined) continue;
      begun?.delete(answer.id);
      this.#onOperation(operation.kind, outcomeOf(answer), (nowMs - operation.atMs) / 1000);
    }
  }

  /** The connection is gone: what it still waited for is answered to nobody. */
  gone(link: LinkId): void {
    this.#begun.delete(link);
  }
}

function outcomeOf({ result }: Answer): OperationOutcome {
  if (result.kind !== 'failed') return 'ok';
  return result.applied === 'unknown' ? 'unknown' : 'failed';
}
