import type { ActorId, Dot, Generation, NodeId } from '@memgrid/protocol';
import { actorId, countField, decodeValue, encodeValue, struct } from '@memgrid/protocol';
import { broken } from '#breaks';
import { invariant } from '../assert.ts';
import type { StepStorage } from './step-storage.ts';

export const DOTS_KEY = 'data/dots';

interface Lease {
  readonly actorEpoch: number;
  /** Counters up to this one may have been used. */
  readonly leasedTo: number;
}

const leaseField = struct<Lease>({ actorEpoch: countField, leasedTo: countField });

export interface DotLeaseOptions {
  readonly self: NodeId;
  readonly generation: Generation;
  /** Counters leased at once. */
  readonly size: number;
  readonly record: Uint8Array | undefined;
  readonly storage: StepStorage;
}

/**
 * Issues dots: names of writes that are never used twice, whatever crashes.
 *
 * Counters are leased in blocks, and a block is on disk before the first of it is used, so a
 * restart begins behind everything that may have left this node. Without a lease on disk the actor
 * is a new one: whatever an earlier life issued, it issued under another name. See DESIGN.md, F17.
 */
export class DotLease {
  readonly #storage: StepStorage;
  readonly #size: number;
  readonly #actorEpoch: number;
  readonly #actor: ActorId;
  #used: number;
  /** Durable. */
  #leasedTo: number;
  #requestedTo: number;
  readonly #waiting: (() => void)[] = [];

  constructor(options: DotLeaseOptions) {
    const { record, storage, size, self, generation } = options;
    const lease = record === undefined ? undefined : decodeValue(leaseField, record, 'dot lease');
    this.#storage = storage;
    this.#size = size;
    this.#actorEpoch = lease?.actorEpoch ?? generation;
    this.#actor = actorId(self, this.#actorEpoch);
    this.#used = broken('shards.dots-leased') ? 0 : (lease?.leasedTo ?? 0);
    this.#leasedTo = this.#used;
    this.#requestedTo = this.#used;
  }

  /** Whether a dot can be issued now. */
  get isReady(): boolean {
    return broken('shards.dots-leased') || this.#used < this.#leasedTo;
  }

  /** Asks for a first lease, so that it is there when the first write comes. */
  prepare(): void {
    if (!this.isReady) this.#renew();
  }

  /** Runs `then` as soon as there are dots; asks for a lease when there is none under way. */
  whenReady(then: () => void): void {
    this.#waiting.push(then);
    this.#renew();
  }

  issue(): Dot {
    invariant(this.isReady, 'A dot was asked for before its lease was durable.');
    this.#used += 1;
    // Half a block is left when the next one is asked for, so writers never wait for it.
    if (this.#leasedTo - this.#used < this.#size / 2) this.#renew();
    return { actor: this.#actor, counter: this.#used };
  }

  #renew(): void {
    if (this.#requestedTo > this.#leasedTo) return;
    const leasedTo = this.#leasedTo + this.#size;
    this.#requestedTo = leasedTo;
    const value = encodeValue(leaseField, { actorEpoch: this.#actorEpoch, leasedTo });
    this.#storage.write([{ kind: 'put', key: DOTS_KEY, value }], true, () => {
      this.#leasedTo = leasedTo;
      for (const then of this.#waiting.splice(0)) then();
    });
  }
}
