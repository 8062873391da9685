import { invariant } from '../assert.ts';
import type { Instant } from '../machine.ts';
import type { Ticket } from '../store-operation.ts';

type Then = (now: Instant) => void;

/** The writes under way, each with what happens once the disk has confirmed it. */
export class PendingWrites {
  readonly #pending = new Map<Ticket, Then>();
  #next: Ticket = 1;

  begin(then: Then): Ticket {
    const ticket = this.#next;
    this.#next += 1;
    this.#pending.set(ticket, then);
    return ticket;
  }

  /** @throws InvariantError for a ticket that is not under way. */
  confirmed(now: Instant, ticket: Ticket): void {
    const then = this.#pending.get(ticket);
    invariant(then !== undefined, `The disk confirmed ticket ${ticket}, which is not under way.`);
    this.#pending.delete(ticket);
    then(now);
  }
}
