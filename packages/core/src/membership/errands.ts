import type { NodeId } from '@memgrid/protocol';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';

/** A probe made for somebody else. */
export interface Errand {
  /** Our own number of the ping that we sent to the target. */
  readonly probe: number;
  readonly requester: NodeId;
  /** The requester's number, which the answer must carry. */
  readonly requesterProbe: number;
  readonly target: NodeId;
  readonly dueAt: Instant;
}

/** More at once are not taken on: the requester then hears nothing and asks others. */
const ERRANDS_MAX = 512;

/**
 * Probes that this node makes on behalf of others. All wait equally long, so the oldest is always
 * the first to be due.
 */
export class Errands {
  readonly #timeoutMs: number;
  readonly #open = new Map<number, Errand>();
  #nextDueAt: Instant | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get nextDueAt(): Instant | undefined {
    return this.#nextDueAt;
  }

  get size(): number {
    return this.#open.size;
  }

  /** False when too many are open already. */
  accept(now: Instant, errand: Omit<Errand, 'dueAt'>): boolean {
    if (this.#open.size >= ERRANDS_MAX) return false;
    const dueAt = after(now, this.#timeoutMs);
    this.#open.set(errand.probe, { ...errand, dueAt });
    this.#nextDueAt ??= dueAt;
    return true;
  }

  /** The errand that an acknowledgement of `target` fulfils. */
  fulfil(probe: number, target: NodeId): Errand | undefined {
    const errand = this.#open.get(probe);
    if (errand === undefined || errand.target !== target) return undefined;
    this.#close(errand);
    return errand;
  }

  /** The next errand that failed by now. */
  takeDue(now: Instant): Errand | undefined {
    if (this.#nextDueAt === undefined || this.#nextDueAt > now) return undefined;
    const oldest = first(this.#open);
    if (oldest === undefined) return undefined;
    this.#close(oldest);
    return oldest;
  }

  #close(errand: Errand): void {
    this.#open.delete(errand.probe);
    this.#nextDueAt = first(this.#open)?.dueAt;
  }
}

function first(errands: ReadonlyMap<number, Errand>): Errand | undefined {
  for (const errand of errands.values()) return errand;
  return undefined;
}
