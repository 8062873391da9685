import type { FeedFilter, ShardId } from '@memgrid/protocol';
import { hash64 } from '@memgrid/protocol';
import { readPositionText, writePositionText } from './position-text.ts';
import type { ShardAt } from './position-text.ts';

/** Nothing is known of a shard yet: its feed begins with whatever comes next. */
export const FROM_NOW = -1;

/**
 * How far a watch has come in each of its shards. Never changed: text is made only when somebody
 * asks for it, because few changes out of many are remembered by anybody.
 */
export class WatchPosition {
  readonly #filter32: number;
  readonly #shardCount: number;
  readonly #shards: readonly ShardId[];
  readonly #indexes: Float64Array;

  constructor(
    filter32: number,
    shardCount: number,
    shards: readonly ShardId[],
    indexes: Float64Array,
  ) {
    this.#filter32 = filter32;
    this.#shardCount = shardCount;
    this.#shards = shards;
    this.#indexes = indexes;
  }

  /** Opaque text: `since` of a later watch. */
  get text(): string {
    const positions: ShardAt[] = [];
    this.#shards.forEach((shard, place) => {
      const index = this.#indexes[place] as number;
      if (index !== FROM_NOW) positions.push({ shard, epoch: 0, index });
    });
    return writePositionText({
      kind: 'watch',
      of32: this.#filter32,
      shardCount: this.#shardCount,
      partial: positions.length < this.#shards.length,
      positions,
    });
  }

  /** Right after one of the changes that came with this position. */
  after(change: { readonly shard: ShardId; readonly index: number }): WatchPosition {
    const place = this.#shards.length === 1 ? 0 : this.#shards.indexOf(change.shard);
    if (this.#indexes[place] === change.index) return this;
    const indexes = this.#indexes.slice();
    indexes[place] = change.index;
    return new WatchPosition(this.#filter32, this.#shardCount, this.#shards, indexes);
  }
}

/** What a position is a position of: 32 bits of what was asked for. */
export function filterHash(filter: FeedFilter): number {
  const { namespace, userId, agentId, appId, runId } = filter.scope;
  // NUL is in no part, so different parts never become the same text.
  const parts = [namespace, userId, agentId, appId, runId, filter.key];
  return hash64(parts.join('\0')).high >>> 0;
}

export type SinceRead =
  | { readonly kind: 'read'; readonly indexes: Float64Array }
  | { readonly kind: 'invalid'; readonly problem: string };

/** Where the feeds of `shards` begin, by a position of an earlier watch. */
export function readSince(
  text: string,
  of: {
    readonly filter32: number;
    readonly shardCount: number;
    readonly shards: readonly ShardId[];
  },
): SinceRead {
  const read = readPositionText(text, 'watch');
  if (read.kind === 'invalid') return read;
  if (read.text.of32 !== of.filter32) return { kind: 'invalid', problem: 'it is of another watch' };
  if (read.text.shardCount !== of.shardCount) {
    return { kind: 'invalid', problem: 'it is of another cluster' };
  }
  const indexes = new Float64Array(of.shards.length).fill(FROM_NOW);
  let place = 0;
  for (const at of read.text.positions) {
    while (place < of.shards.length && (of.shards[place] as number) < at.shard) place += 1;
    if (of.shards[place] !== at.shard)
      return { kind: 'invalid', problem: 'it is of another watch' };
    indexes[place] = at.index;
  }
  return { kind: 'read', indexes };
}
