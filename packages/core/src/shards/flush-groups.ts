import type { ShardId } from '@memgrid/protocol';
import { type Instant, isDue } from '../machine.ts';

/** Whatever is applied is on its way to the disk after this long. */
export const FLUSH_MS = 200;

/** Groups of shards that take turns. */
const GROUPS = 8;
const TURN_MS = FLUSH_MS / GROUPS;

/**
 * When which shards tell the disk what they have applied: each once in a period, an eighth of them
 * at a time.
 *
 * All at once, a node of 50,000 writes a second would stand still for as long as it takes to encode
 * ten thousand entries, five times a second, and every caller would wait for that.
 */
export class FlushGroups {
  /** The last turn that was taken, counted from the beginning of the clock. */
  #turn = 0;
  #wakeAt: Instant | undefined;

  get wakeAt(): Instant | undefined {
    return this.#wakeAt;
  }

  /** Plans the next turn of any of these shards, unless one is planned: that is no later. */
  plan(now: Instant, unflushed: ReadonlySet<ShardId>): void {
    if (this.#wakeAt !== undefined || unflushed.size === 0) return;
    this.#turn = turnAt(now);
    this.#planNext(unflushed);
  }

  /** Takes the shards out of `unflushed` whose turn has come, and plans the next one. */
  take(now: Instant, unflushed: Set<ShardId>): readonly ShardId[] {
    if (!isDue(this.#wakeAt, now)) return [];
    const turn = turnAt(now);
    const due: ShardId[] = [];
    for (const shard of unflushed) if (this.#turnOf(shard) <= turn) due.push(shard);
    for (const shard of due) unflushed.delete(shard);
    this.#turn = turn;
    this.#planNext(unflushed);
    return due;
  }

  #planNext(unflushed: ReadonlySet<ShardId>): void {
    let next = Infinity;
    for (const shard of unflushed) next = Math.min(next, this.#turnOf(shard));
    this.#wakeAt = next === Infinity ? undefined : ((next * TURN_MS) as Instant);
  }

  /** The first turn of a shard after the last that was taken. */
  #turnOf(shard: ShardId): number {
    const next = this.#turn + 1;
    return next + ((((shard - next) % GROUPS) + GROUPS) % GROUPS);
  }
}

function turnAt(now: Instant): number {
  return Math.floor(now / TURN_MS);
}
