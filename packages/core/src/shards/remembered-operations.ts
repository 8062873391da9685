import type { EntryVersion, ShardPosition } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { OperationCursor, OperationMemory } from './operation-memory.ts';
import type { FoundOperation, OperationPeriod } from './operation-period.ts';

/** What became of an operation id. */
export interface RememberedOperation {
  readonly version: EntryVersion;
  readonly at: ShardPosition;
  /** Of the request, so that another one under the same id is refused. */
  readonly fingerprint: number;
}

/**
 * Which writes of a copy were carried out, by operation id, for as long as a caller may ask and the
 * node has room.
 *
 * Ids carry the moment at which their client made them. Forgetting raises `floor` to the moment of
 * what is forgotten; an id that is neither remembered nor above it may have been forgotten, and so
 * must never be carried out (again). See DESIGN.md, F16.
 *
 * Copies of one shard need not forget the same: nodes have more or less room. What holds for each
 * copy by itself is enough: of every id that its log carried out it knows the outcome, or its floor
 * is no older. Only a primary decides whether an id is carried out, by its own copy, and the log of
 * that has everything that was ever committed. So the one primary may refuse what the next one
 * answers, but none carries it out again. For that, what is forgotten and the floor reach the disk
 * in one batch, and a stream tells the floor after the last of what it remembers.
 *
 * Orphans are the exception: what was acknowledged away from the primary is merged, however old its
 * id. Whoever keeps it withdraws it when the log brings it, and is given the time to (`orphans.ts`).
 */
export class RememberedOperations {
  readonly #memory: OperationMemory;
  readonly #owner: number;
  #floor = 0;
  #count = 0;

  /** @param onForgotten told of every operation that was remembered and is not any more. */
  constructor(
    memory: OperationMemory,
    onForgotten: (period: OperationPeriod, place: number) => void,
  ) {
    this.#memory = memory;
    this.#owner = memory.enter({
      forgotten: (period, place) => {
        this.#count -= 1;
        this.raiseFloor(period.msAt(place));
        onForgotten(period, place);
      },
    });
  }

  /** Ids made up to this moment may have been forgotten. Milliseconds since 1970. */
  get floor(): number {
    return this.#floor;
  }

  get count(): number {
    return this.#count;
  }

  get(operationId: string): RememberedOperation | undefined {
    if (broken('shards.operation-once')) return undefined;
    return this.#memory.find(this.#owner, operationId);
  }

  remember(operationId: string, outcome: RememberedOperation): void {
    if (!this.#memory.remember(this.#owner, operationId, outcome)) return;
    this.#count += 1;
    this.#memory.keepWithinBounds();
  }

  /** Takes over what this copy had forgotten before a restart, or what another replica had. */
  raiseFloor(ms: number): void {
    if (!broken('shards.forgotten-is-refused')) this.#floor = Math.max(this.#floor, ms);
  }

  /** Up to `limit` of them from `cursor` on; `next` is undefined behind the last one. */
  page(
    cursor: OperationCursor,
    limit: number,
  ): { readonly found: readonly FoundOperation[]; readonly next: OperationCursor | undefined } {
    if (this.#count === 0) return { found: [], next: undefined };
    return this.#memory.page(this.#owner, cursor, limit);
  }

  /** The copy is given up: nobody hears of what it remembered any more. */
  close(): void {
    this.#memory.leave(this.#owner);
    this.#count = 0;
  }
}
