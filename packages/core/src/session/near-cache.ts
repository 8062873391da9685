import type { FeedChange, FeedFilter, FoundEntry, ShardId } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { Instant } from '../machine.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Feed, FeedConsumer, Feeds } from './feeds.ts';
import { FROM_NOW } from './watch-position.ts';

/** Late answers that wait for a shard's feed to begin. */
const WAITING_FILLS_MAX = 64;
/** Invalidations that a shard remembers, to tell a late answer from a good one. */
const RECENT_MAX = 256;
/** Changes of every key of a shard, whatever the namespace. */
const EVERYTHING: FeedFilter = {
  scope: { namespace: '', userId: '', agentId: '', appId: '', runId: '' },
  key: '',
};

/** An entry in this process. */
export interface NearEntry {
  readonly found: FoundEntry;
  /** It was so when the shard's log was here. */
  readonly index: number;
  readonly shard: NearShard;
  /** Of the shard, when it was kept: after a gap nothing older counts. */
  readonly generation: number;
  /** Milliseconds since 1970, by the cluster's clock; 0 for never. */
  readonly expiresAt: number;
}

/** Where entries are kept: bounded by whoever made it. A data structure, no protocol. */
export interface NearStore {
  get(namespace: string, key: string): NearEntry | undefined;
  set(namespace: string, key: string, entry: NearEntry): void;
  /** Drops the entries under this key, of any namespace, that are older than `index`. */
  forget(key: string, index: number): void;
  /** When an entry expires: nobody tells of it then. 0 for never. */
  expiresAtOf(found: FoundEntry): number;
}

export interface NearCacheOptions {
  readonly store: NearStore;
  readonly stalenessMs: number;
}

/**
 * Which entries may be kept in this process, and which of them may be served now.
 *
 * The promise: what is served was true at some moment within the staleness bound at the primary of
 * its shard, as far as this session knows the primary, is no older than anything that this session has seen, and never
 * comes back after it was replaced. See DESIGN.md, Q16 to Q18.
 */
export class NearCache {
  readonly #options: NearCacheOptions;
  readonly #cluster: ClusterView;
  readonly #feeds: Feeds;
  readonly #shards: (NearShard | undefined)[] = [];

  constructor(options: NearCacheOptions, cluster: ClusterView, feeds: Feeds) {
    this.#options = options;
    this.#cluster = cluster;
    this.#feeds = feeds;
  }

  /** The entry, if it may be served. */
  get(namespace: string, key: string, now: Instant): NearEntry | undefined {
    const entry = this.#options.store.get(namespace, key);
    if (entry === undefined) return undefined;
    const { shard, index } = entry;
    if (entry.generation !== shard.generation) return undefined;
    if (now - shard.confirmedAt > this.#options.stalenessMs) return undefined;
    const { expiresAt } = entry;
    if (expiresAt !== 0 && expiresAt <= this.#cluster.wallMs(now)) return undefined;
    const floor = this.#cluster.token?.indexOf(shard.shard) ?? 0;
    return index >= floor || shard.last >= floor ? entry : undefined;
  }

  /** How old it may be: since then its node may have said something that is still under way. */
  stalenessMs(entry: NearEntry, now: Instant): number {
    return Math.max(0, now - entry.shard.confirmedAt);
  }

  /** An answer: kept if nothing newer is known. */
  fill(
    namespace: string,
    found: FoundEntry,
    at: { shard: ShardId; index: number },
    now: Instant,
  ): void {
    if (at.index === 0) return;
    const shard = this.#shardOf(at.shard, now);
    if (shard.mayFill(found.key, at.index)) {
      shard.keep(namespace, found, at.index);
    } else if (!shard.hasBegun) shard.keepLater(namespace, found, at.index);
  }

  /** This session changed it: the old value must not be read again, not even until the feed says so. */
  wrote(shard: ShardId, key: string, index: number): void {
    const at = index === 0 ? Infinity : index;
    this.#options.store.forget(key, at);
    this.#shards[shard]?.invalidated(key, at);
  }

  #shardOf(shard: ShardId, now: Instant): NearShard {
    const known = this.#shards[shard];
    if (known !== undefined) return known;
    const made = new NearShard(shard, this.#options.store);
    this.#shards[shard] = made;
    made.feed = this.#feeds.open(
      {
        shard,
        filter: EVERYTHING,
        keysOnly: true,
        after: FROM_NOW,
        atPrimary: true,
        consumer: made,
      },
      now,
    );
    return made;
  }
}

interface WaitingFill {
  readonly namespace: string;
  readonly found: FoundEntry;
  readonly index: number;
}

const LONG_AGO = -Infinity as Instant;

/** What is known of one shard's changes. */
export class NearShard implements FeedConsumer {
  readonly shard: ShardId;
  readonly #store: NearStore;
  feed: Feed | undefined;
  /** Counts the gaps: entries from before one are not served again, and need not be looked for. */
  generation = 0;
  /** Every change up to here has been heard. */
  last = FROM_NOW;
  /** Of changes up to here it is not known any more which keys they were about. */
  #forgottenUpTo = 0;
  readonly #recent = new Map<string, number>();
  #waiting: WaitingFill[] = [];

  constructor(shard: ShardId, store: NearStore) {
    this.shard = shard;
    this.#store = store;
  }

  get hasBegun(): boolean {
    return this.last !== FROM_NOW;
  }

  /** When everything that its node had said until then had arrived here. */
  get confirmedAt(): Instant {
    const feed = this.feed;
    const confirmedAt = feed?.peer?.confirmedAt ?? LONG_AGO;
    return feed !== undefined && confirmedAt >= feed.openedAt && this.hasBegun
      ? confirmedAt
      : LONG_AGO;
  }

  /** Whether what was so at `index` is, as far as is known, still so. See DESIGN.md, Q17. */
  mayFill(key: string, index: number): boolean {
    if (!this.hasBegun) return false;
    if (broken('near-cache.no-late-fill')) return true;
    return index >= this.#forgottenUpTo && index >= (this.#recent.get(key) ?? 0);
  }

  keep(namespace: string, found: FoundEntry, index: number): void {
    const { generation } = this;
    const expiresAt = this.#store.expiresAtOf(found);
    this.#store.set(namespace, found.key, { found, index, shard: this, generation, expiresAt });
  }

  /** The feed has not begun: it will say whether anything has happened since. */
  keepLater(namespace: string, found: FoundEntry, index: number): void {
    if (this.#waiting.length < WAITING_FILLS_MAX) this.#waiting.push({ namespace, found, index });
  }

  invalidated(key: string, index: number): void {
    this.#waiting = this.#waiting.filter((fill) => fill.found.key !== key || fill.index >= index);
    if (index === Infinity) return;
    const known = this.#recent.get(key) ?? 0;
    // Taken out first, so that the oldest is the one that has not been touched for longest.
    this.#recent.delete(key);
    this.#recent.set(key, Math.max(known, index));
    if (this.#recent.size <= RECENT_MAX) return;
    const [oldest] = this.#recent;
    if (oldest === undefined) return;
    this.#recent.delete(oldest[0]);
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, oldest[1]);
  }

  feedBegan(feed: Feed): void {
    if (this.hasBegun) return;
    this.last = feed.last;
    this.#forgottenUpTo = feed.last;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { namespace, found, index } of waiting) {
      if (this.mayFill(found.key, index)) this.keep(namespace, found, index);
    }
  }

  feedChanged(feed: Feed, changes: readonly FeedChange[]): void {
    for (const { key, index } of changes) {
      this.#store.forget(key, index);
      this.invalidated(key, index);
    }
    this.last = feed.last;
  }

  feedMissed(feed: Feed): void {
    if (!broken('near-cache.gap-forgets')) this.generation += 1;
    this.#recent.clear();
    this.last = feed.last;
    this.#forgottenUpTo = feed.last;
  }

  feedInterrupted(): void {
    // Nothing is served meanwhile, because nobody confirms it. What was missed comes first when the
    // feed goes on, so nothing has to be dropped either.
  }
}
