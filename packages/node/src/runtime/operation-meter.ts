import { NumberedItems } from '@memgrid/core';
import type { LinkId } from '@memgrid/core';
import type { Answer, ClientMessage, Operation } from '@memgrid/protocol';

export type OperationKind = Operation['body']['kind'];

/** `unknown`: the caller cannot tell whether a write took place. */
export type OperationOutcome = 'ok' | 'failed' | 'unknown';

/** Operations of one kind that came together, went together and ended in the same way. */
export interface Measured {
  readonly kind: OperationKind;
  readonly outcome: OperationOutcome;
  readonly seconds: number;
  readonly count: number;
}

export type OnMeasured = (measured: Measured) => void;

/**
 * Of one connection in the table that is fast for numbers that follow each other. A client chooses
 * its numbers, and may choose all of them for one place: then a look takes as many steps as there are.
 */
const FOLLOWING_MAX = 1_024;

/** What one connection waits for. */
interface Waiting {
  readonly following: NumberedItems<Begun>;
  /** Whatever is more than that. */
  readonly more: Map<number, Begun>;
}

/** Shared by all operations of one kind in one message. */
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
  readonly #onMeasured: OnMeasured;
  readonly #begun = new Map<LinkId, Waiting>();

  /** @param now milliseconds on any clock that does not jump. */
  constructor(now: () => number, onMeasured: OnMeasured) {
    this.#now = now;
    this.#onMeasured = onMeasured;
  }

  received(link: LinkId, message: ClientMessage): void {
    if (message.type !== 'operations') return;
    const atMs = this.#now();
    let begun = this.#begun.get(link);
    if (begun === undefined) {
      begun = { following: new NumberedItems<Begun>(), more: new Map() };
      this.#begun.set(link, begun);
    }
    const { following, more } = begun;
    let last: Begun | undefined;
    for (const { id, body } of message.operations) {
      if (last?.kind !== body.kind) last = { kind: body.kind, atMs };
      // A client may use a number twice: then the first of the two is measured.
      if (following.get(id) !== undefined || more.has(id)) continue;
      if (following.count < FOLLOWING_MAX) following.add(id, last);
      else more.set(id, last);
    }
  }

  sent(link: LinkId, message: ClientMessage): void {
    if (message.type !== 'answers') return;
    const begun = this.#begun.get(link);
    if (begun === undefined) return;
    const nowMs = this.#now();
    let last: Begun | undefined;
    let lastOutcome: OperationOutcome = 'ok';
    let count = 0;
    const tell = (): void => {
      if (last === undefined) return;
      const seconds = (nowMs - last.atMs) / 1000;
      this.#onMeasured({ kind: last.kind, outcome: lastOutcome, seconds, count });
    };
    for (const answer of message.answers) {
      const operation = taken(begun, answer.id);
      if (operation === undefined) continue;
      const outcome = outcomeOf(answer);
      if (operation !== last || outcome !== lastOutcome) {
        tell();
        last = operation;
        lastOutcome = outcome;
        count = 0;
      }
      count += 1;
    }
    tell();
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

function taken({ following, more }: Waiting, id: number): Begun | undefined {
  const begun = following.take(id);
  if (begun !== undefined || more.size === 0) return begun;
  const other = more.get(id);
  more.delete(id);
  return other;
}
