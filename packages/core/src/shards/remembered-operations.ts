import type { EntryVersion, ShardPosition } from '@memgrid/protocol';
import { operationIdMs } from '@memgrid/protocol';
import { broken } from '#breaks';

/** What became of an operation id. */
export interface RememberedOperation {
  readonly version: EntryVersion;
  readonly at: ShardPosition;
  /** Of the request, so that another one under the same id is refused. */
  readonly fingerprint: number;
}

interface Aged {
  readonly ms: number;
  readonly operationId: string;
}

/**
 * Which writes of a shard were carried out, by operation id, for as long as a caller may ask.
 *
 * Ids carry the moment at which their client made them. Forgetting goes by that moment, oldest
 * first, and raises `floor`; an id that is not above it may have been forgotten and so must never
 * be carried out (again). See DESIGN.md, F16.
 */
export class RememberedOperations {
  readonly #outcomes = new Map<string, RememberedOperation>();
  /** In order of `ms`. Ids arrive almost in order, so inserting is nearly always appending. */
  readonly #byAge: Aged[] = [];
  #floor = 0;

  /** Ids made up to this moment may have been forgotten. Milliseconds since 1970. */
  get floor(): number {
    return this.#floor;
  }

  get count(): number {
    return this.#outcomes.size;
  }

  get(operationId: string): RememberedOperation | undefined {
    return broken('shards.operation-once') ? undefined : this.#outcomes.get(operationId);
  }

  remember(operationId: string, outcome: RememberedOperation): void {
    if (operationId === '') return;
    const known = this.#outcomes.has(operationId);
    this.#outcomes.set(operationId, outcome);
    if (known) return;
    const ms = operationIdMs(operationId) ?? 0;
    let place = this.#byAge.length;
    while (place > 0 && (this.#byAge[place - 1] as Aged).ms > ms) place -= 1;
    this.#byAge.splice(place, 0, { ms, operationId });
  }

  /** Takes over what another replica had forgotten. */
  raiseFloor(ms: number): void {
    this.#floor = Math.max(this.#floor, ms);
  }

  /**
   * Forgets what is too old or too much.
   *
   * @returns the forgotten ids with their moments.
   */
  forget(olderThanMs: number, countMax: number): readonly Aged[] {
    let count = 0;
    while (count < this.#byAge.length) {
      const { ms } = this.#byAge[count] as Aged;
      if (ms > olderThanMs && this.#byAge.length - count <= countMax) break;
      count += 1;
    }
    if (count === 0) return [];
    const forgotten = this.#byAge.splice(0, count);
    for (const { operationId, ms } of forgotten) {
      this.#outcomes.delete(operationId);
      this.raiseFloor(ms);
    }
    return forgotten;
  }

  /** In order of age, after `operationId` ('' begins), at most `limit`. */
  entries(from: number, limit: number): readonly [string, RememberedOperation][] {
    return this.#byAge
      .slice(from, from + limit)
      .map(({ operationId }) => [
        operationId,
        this.#outcomes.get(operationId) as RememberedOperation,
      ]);
  }

  /** The moment of the oldest remembered id; undefined when nothing is remembered. */
  get oldestMs(): number | undefined {
    return this.#byAge[0]?.ms;
  }
}
