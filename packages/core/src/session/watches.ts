import { shardOfEntry, shardOfId, shardOfScope } from '@memgrid/protocol';
import type { FeedChange, FeedFilter, FeedGap, ShardId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Feed, FeedConsumer, Feeds } from './feeds.ts';
import type { SessionConfig } from './session-config.ts';
import type { SessionEffect, WatchProblem, WatchRequest } from './session-io.ts';
import { filterHash, FROM_NOW, readSince, WatchPosition } from './watch-position.ts';

export interface WatchesOptions {
  readonly config: SessionConfig;
  readonly cluster: ClusterView;
  readonly feeds: Feeds;
  readonly emit: (effect: SessionEffect) => void;
}

/** What somebody watches: one feed for each shard that may have it. See DESIGN.md, Q14 and Q15. */
export class Watches {
  readonly #options: WatchesOptions;
  readonly #watches = new Map<number, Watch>();
  /** Asked for before the cluster said how many shards it has. */
  readonly #early = new Map<number, WatchRequest>();

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#watches.size + this.#early.size;
  }

  open(id: number, request: WatchRequest, now: Instant): void {
    const { config, cluster } = this.#options;
    if (this.count >= config.watchesMax) {
      const message = `This session has ${this.count} watches already, as many as it may.`;
      this.#end(id, { code: 'OVERLOADED', message });
      return;
    }
    const { placement } = cluster;
    if (placement === undefined) {
      this.#early.set(id, request);
      return;
    }
    const shards = shardsOf(request.filter, placement.shardCount);
    const filter32 = filterHash(request.filter);
    const indexes = new Float64Array(shards.length).fill(FROM_NOW);
    if (request.since !== undefined) {
      const of = { filter32, shardCount: placement.shardCount, shards };
      const since = readSince(request.since, of);
      if (since.kind === 'invalid') {
        const message = `The position cannot be used: ${since.problem}.`;
        this.#end(id, { code: 'BAD_CURSOR', message });
        return;
      }
      indexes.set(since.indexes);
    }
    const options = { ...this.#options, id, request, shards, indexes, filter32 };
    const watch = new Watch({ ...options, shardCount: placement.shardCount });
    this.#watches.set(id, watch);
    watch.resume(now);
  }

  /** The cluster has said how many shards it has. */
  ready(now: Instant): void {
    if (this.#early.size === 0) return;
    const early = [...this.#early];
    this.#early.clear();
    for (const [id, request] of early) this.open(id, request, now);
  }

  taken(id: number, bytes: number, now: Instant): void {
    this.#watches.get(id)?.taken(bytes, now);
  }

  close(id: number): void {
    const watch = this.#watches.get(id);
    if (watch === undefined && !this.#early.has(id)) return;
    watch?.pause();
    this.#watches.delete(id);
    this.#early.delete(id);
    this.#end(id, undefined);
  }

  closeAll(problem: WatchProblem): void {
    for (const id of [...this.#watches.keys(), ...this.#early.keys()]) this.#end(id, problem);
    this.#watches.clear();
    this.#early.clear();
  }

  #end(watch: number, problem: WatchProblem | undefined): void {
    this.#options.emit({ kind: 'watchEnded', watch, problem });
  }
}

interface WatchOptions extends WatchesOptions {
  readonly id: number;
  readonly request: WatchRequest;
  readonly filter32: number;
  readonly shardCount: number;
  /** In ascending order. */
  readonly shards: readonly ShardId[];
  /** Where each of them is; belongs to the watch from now on. */
  readonly indexes: Float64Array;
}

class Watch implements FeedConsumer {
  readonly #options: WatchOptions;
  readonly #indexes: Float64Array;
  readonly #placeOf: ReadonlyMap<ShardId, number>;
  /** What this session had seen of each shard when it began to watch from then on. */
  readonly #floors: Float64Array;
  #feeds: Feed[] = [];
  #unready: number;
  #isReady = false;
  /** Handed out and not taken yet. */
  #bytes = 0;
  #paused = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#indexes = options.indexes;
    this.#placeOf = new Map(options.shards.map((shard, place) => [shard, place]));
    this.#unready = options.indexes.filter((index) => index === FROM_NOW).length;
    const { token } = options.cluster;
    this.#floors = options.indexes.map((index, place) =>
      index === FROM_NOW ? (token?.indexOf(options.shards[place] as ShardId) ?? 0) : 0,
    );
  }

  /** Opens the feeds, each where it was left. */
  resume(now: Instant): void {
    const { feeds, request, shards } = this.#options;
    this.#paused = false;
    this.#feeds = shards.map((shard, place) =>
      feeds.open(
        {
          shard,
          filter: request.filter,
          keysOnly: false,
          atPrimary: false,
          after: this.#indexes[place] as number,
          consumer: this,
        },
        now,
      ),
    );
    this.#checkReady();
  }

  /** Closes the feeds. What was not handed out yet will be asked for again. */
  pause(): void {
    this.#paused = true;
    for (const feed of this.#feeds) this.#options.feeds.close(feed);
    this.#feeds = [];
  }

  taken(bytes: number, now: Instant): void {
    this.#bytes = Math.max(0, this.#bytes - bytes);
    if (this.#paused && this.#bytes * 2 <= this.#options.config.watchBytesMax) this.resume(now);
  }

  feedBegan(feed: Feed): void {
    const place = this.#place(feed);
    if (this.#indexes[place] === FROM_NOW) {
      this.#unready -= 1;
      this.#indexes[place] = feed.last;
    }
    this.#checkReady();
  }

  feedChanged(feed: Feed, all: readonly FeedChange[], bytes: number): void {
    const place = this.#place(feed);
    this.#indexes[place] = feed.last;
    // A replica that is a little behind begins before what this session has written or read; that is
    // nothing new to it.
    const floor = this.#floors[place] as number;
    const changes = floor === 0 ? all : all.filter(({ index }) => index > floor);
    if (changes.length === 0) return;
    const { id, request, config, emit } = this.#options;
    const { namespace } = request.filter.scope;
    const { shard } = feed;
    this.#bytes += bytes;
    emit({
      kind: 'changes',
      watch: id,
      changes: changes.map((change) => ({ ...change, shard, namespace })),
      position: this.#position(),
      bytes,
    });
    // The consumer is slow. Nothing is lost: the feeds go on from here once it has caught up, and
    // meanwhile it is the node's log that remembers, and not this process.
    if (this.#bytes > config.watchBytesMax) this.pause();
  }

  feedMissed(feed: Feed, reason: FeedGap['reason']): void {
    this.#indexes[this.#place(feed)] = feed.last;
    const { id, emit } = this.#options;
    emit({ kind: 'gap', watch: id, shard: feed.shard, reason, position: this.#position() });
  }

  feedInterrupted(): void {
    // It is opened again where it was, so the consumer has nothing to know.
  }

  #checkReady(): void {
    if (this.#isReady || this.#unready > 0) return;
    this.#isReady = true;
    this.#options.emit({ kind: 'watchReady', watch: this.#options.id });
  }

  #place(feed: Feed): number {
    return this.#placeOf.get(feed.shard) ?? 0;
  }

  #position(): WatchPosition {
    const { filter32, shardCount, shards } = this.#options;
    return new WatchPosition(filter32, shardCount, shards, this.#indexes.slice());
  }
}

/** Where what is watched can be: in one shard if the id or the user says so, otherwise in any. */
function shardsOf({ scope, key }: FeedFilter, shardCount: number): readonly ShardId[] {
  if (key !== '') {
    return [shardOfId(key, shardCount) ?? shardOfEntry({ ...scope, key }, shardCount)];
  }
  const one = shardOfScope(scope, shardCount);
  if (one !== undefined) return [one];
  return Array.from({ length: shardCount }, (_, shard) => shard as ShardId);
}
