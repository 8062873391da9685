import { invariant } from '../assert.ts';
import type { StoreOperation, Ticket } from '../store-operation.ts';
import type { ShardsEffect } from './shards-io.ts';

/** How safe a batch is by now. */
export type Safety = 'os' | 'disk';

/** Told once or twice: `os` when the operating system has the batch, `disk` when it is synced. */
export type Stored = (safety: Safety) => void;

/** Batches that only the operating system has; beyond this the next one is synced, and they with it. */
const UNSYNCED_MAX = 256;

/**
 * All writes of one step as one batch, and who waits for which.
 *
 * The disk keeps batches in order: when one of them is synced, all before it are.
 */
export class StepStorage {
  #operations: StoreOperation[] = [];
  #waiting: Stored[] = [];
  #durable = false;
  #nextTicket: Ticket = 1;
  readonly #pending = new Map<Ticket, { readonly durable: boolean; readonly waiting: Stored[] }>();
  #unsynced: Stored[] = [];

  /** A ticket that no store effect has; loads take theirs here too. */
  ticket(): Ticket {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    return ticket;
  }

  /** Adds to this step's batch. It is synced when anybody in it wants that. */
  write(operations: readonly StoreOperation[], durable: boolean, then?: Stored): void {
    for (const operation of operations) this.#operations.push(operation);
    this.#durable ||= durable;
    if (then !== undefined) this.#waiting.push(then);
  }

  /** Whether this step writes anything so far. */
  get isWriting(): boolean {
    return this.#operations.length > 0;
  }

  /** The batch of this step; undefined when there is nothing to write. */
  take(): ShardsEffect | undefined {
    if (this.#operations.length === 0) {
      invariant(this.#waiting.length === 0, 'Somebody waits for a batch that has no writes.');
      return undefined;
    }
    const ticket = this.ticket();
    const durable = this.#durable || this.#unsynced.length >= UNSYNCED_MAX;
    this.#pending.set(ticket, { durable, waiting: this.#waiting });
    const effect = { kind: 'store', ticket, operations: this.#operations, durable } as const;
    this.#operations = [];
    this.#waiting = [];
    this.#durable = false;
    return effect;
  }

  /** @throws InvariantError for a ticket that is not under way. */
  stored(ticket: Ticket): void {
    const batch = this.#pending.get(ticket);
    invariant(batch !== undefined, `The disk confirmed ticket ${ticket}, which is not under way.`);
    this.#pending.delete(ticket);
    if (!batch.durable) {
      for (const then of batch.waiting) then('os');
      this.#unsynced.push(...batch.waiting);
      return;
    }
    const synced = this.#unsynced;
    this.#unsynced = [];
    for (const then of synced) then('disk');
    for (const then of batch.waiting) then('disk');
  }
}
