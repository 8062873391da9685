import type { ElectionMessage, LogIndex, NodeId, Term } from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { StoreOperation, Ticket } from '../store-operation.ts';

/** What may happen only once a write is durable. */
export type AfterDurable =
  /** A message that promises durability. */
  | { readonly kind: 'send'; readonly to: NodeId; readonly body: ElectionMessage }
  /** A candidate's vote for itself counts. */
  | { readonly kind: 'ownVote'; readonly term: Term }
  /** A leader's own copy of its log counts up to here. */
  | { readonly kind: 'ownEntries'; readonly term: Term; readonly index: LogIndex };

interface Waiting {
  readonly ticket: Ticket;
  readonly released: AfterDurable;
}

/** One batch for the disk. */
export interface Batch {
  readonly ticket: Ticket;
  readonly operations: readonly StoreOperation[];
}

/**
 * Remembers what waits for which write.
 *
 * Everything that one step writes becomes one batch with one ticket. Batches become durable in
 * the order in which they were issued, so a ticket stands for itself and for all before it; what
 * waits is released in the order in which it was asked for (etcd/raft's "messages after append").
 */
export class Storage {
  #issued: Ticket = 0;
  #durable: Ticket = 0;
  /** By key: a batch is all or nothing, so only the last word on each key matters. */
  #staged = new Map<string, StoreOperation>();
  #waiting: Waiting[] = [];

  /** The ticket that stands for everything written so far, this step included. */
  get latest(): Ticket {
    return this.#staged.size > 0 ? this.#issued + 1 : this.#issued;
  }

  isDurable(ticket: Ticket): boolean {
    return ticket <= this.#durable;
  }

  stage(operation: StoreOperation): void {
    this.#staged.set(operation.key, operation);
  }

  /** Keeps `deferred` until `ticket` is durable, which it must not be yet. */
  defer(ticket: Ticket, deferred: AfterDurable): void {
    this.#waiting.push({ ticket, released: deferred });
  }

  /** The batch of this step, if it wrote anything. */
  takeBatch(): Batch | undefined {
    if (this.#staged.size === 0) return undefined;
    this.#issued += 1;
    const operations = [...this.#staged.values()];
    this.#staged.clear();
    return { ticket: this.#issued, operations };
  }

  /** What `ticket` released, in order. */
  complete(ticket: Ticket): readonly AfterDurable[] {
    invariant(ticket <= this.#issued, `Ticket ${ticket} was never issued.`);
    if (ticket <= this.#durable) return [];
    this.#durable = ticket;
    const released: AfterDurable[] = [];
    const kept: Waiting[] = [];
    for (const waiting of this.#waiting) {
      if (this.isDurable(waiting.ticket)) released.push(waiting.released);
      else kept.push(waiting);
    }
    this.#waiting = kept;
    return released;
  }
}
