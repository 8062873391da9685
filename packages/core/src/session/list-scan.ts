import type { ShardId } from '@memgrid/protocol';

/** Shards that are asked at once: enough that a namespace is listed quickly, and a bounded burst. */
const WAVE_MAX = 32;

/** One shard's part of a page. */
export interface ScanRequest {
  readonly shard: ShardId;
  readonly after: string;
  readonly limit: number;
}

export interface ScanPlace {
  readonly shard: ShardId;
  /** The last key that was returned; '' at the beginning of a shard. */
  readonly after: string;
}

export interface ScanAnswer<Item> {
  readonly items: readonly Item[];
  readonly more: boolean;
}

/**
 * One page of a list over many shards: which shards to ask next, and where the next page begins.
 *
 * Entries come in order of shard and key, so that a cursor is one place. Several shards are asked at
 * once, and what is too much for the page is asked for again by the next one.
 */
export class ListScan<Item> {
  readonly #shardCount: number;
  readonly #limit: number;
  readonly #keyOf: (item: Item) => string;
  readonly items: Item[] = [];
  #place: ScanPlace | undefined;
  #isFull = false;

  constructor(options: {
    readonly from: ScanPlace;
    /** The shard after the last one. */
    readonly end: number;
    readonly limit: number;
    readonly keyOf: (item: Item) => string;
  }) {
    this.#place = options.from.shard < options.end ? options.from : undefined;
    this.#shardCount = options.end;
    this.#limit = options.limit;
    this.#keyOf = options.keyOf;
  }

  /** Where the next page begins; undefined when this is the last. */
  get place(): ScanPlace | undefined {
    return this.#place;
  }

  /** What to ask now, all at once; nothing when the page is full or the list is at its end. */
  next(): readonly ScanRequest[] {
    const place = this.#place;
    if (this.#isFull || place === undefined) return [];
    const limit = this.#limit - this.items.length;
    const count = Math.min(WAVE_MAX, this.#shardCount - place.shard);
    return Array.from({ length: count }, (_, at) => ({
      shard: (place.shard + at) as ShardId,
      after: at === 0 ? place.after : '',
      limit,
    }));
  }

  /** The answers to `next`, in its order. */
  take(answers: readonly ScanAnswer<Item>[]): void {
    for (const answer of answers) {
      // A shard that had more to give comes first, so what the others gave is asked for again.
      if (this.#isFull || this.#place === undefined) return;
      if (!this.#takeOne(this.#place, answer)) return;
    }
  }

  /** False when the shard is not done. */
  #takeOne(place: ScanPlace, { items, more }: ScanAnswer<Item>): boolean {
    const room = this.#limit - this.items.length;
    const taken = items.slice(0, room);
    for (const item of taken) this.items.push(item);
    const last = taken.at(-1);
    if (last !== undefined && (more || items.length > room)) {
      this.#place = { shard: place.shard, after: this.#keyOf(last) };
      this.#isFull = this.items.length >= this.#limit;
      return false;
    }
    const nextShard = place.shard + 1;
    this.#place =
      nextShard < this.#shardCount ? { shard: nextShard as ShardId, after: '' } : undefined;
    this.#isFull = this.items.length >= this.#limit;
    return true;
  }
}
