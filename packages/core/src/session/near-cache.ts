import type { FeedFilter, FoundEntry, ShardId } from '@memgrid/protocol';
import { after } from '../machine.ts';
import type { Instant } from '../machine.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Feeds } from './feeds.ts';
import { isPermitted, NO_PERMIT } from './near-entry.ts';
import type { NearEntry, NearStore } from './near-entry.ts';
import { NearShard } from './near-shard.ts';
import { FROM_NOW } from './watch-position.ts';

/** Changes of every key of a shard, whatever the namespace. */
const EVERYTHING: FeedFilter = {
  scope: { namespace: '', userId: '', agentId: '', appId: '', runId: '' },
  key: '',
};

/** Permits end at multiples of this share of the bound, so that each serves many hits. */
const PERMIT_SHARE = 1 / 20;

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
    return isPermitted(entry, now) || this.permit(entry, now) ? entry : undefined;
  }

  /** Whether an entry may be served now. If so, it has a permit afterwards. */
  permit(entry: NearEntry, now: Instant): boolean {
    const { shard, index, expiresAt } = entry;
    if (entry.generation !== shard.generation) return false;
    const { confirmedAt } = shard;
    const bound = this.#options.stalenessMs;
    if (now - confirmedAt > bound) return false;
    if (expiresAt !== 0 && expiresAt <= this.#cluster.wallMs(now)) return false;
    const { token } = this.#cluster;
    if (token !== undefined) {
      // Of what another session saw here only a linearizable read can tell. See DESIGN.md, Q2.
      if (token.isUnknown(shard.shard)) return false;
      const floor = token.indexOf(shard.shard);
      if (index < floor && shard.last < floor) return false;
    }
    const step = Math.ceil(bound * PERMIT_SHARE);
    const steps = Math.max(1, Math.ceil((now - confirmedAt) / step));
    entry.stalenessMs = Math.min(Math.ceil(bound), steps * step);
    entry.revision = shard.revision;
    entry.isRenewed = true;
    // The cluster's clock may be set at any time: what expires is looked at every time.
    const until = after(confirmedAt, Math.min(bound, steps * step));
    entry.permittedUntilMs = expiresAt === 0 ? Math.floor(until) : NO_PERMIT;
    return true;
  }

  /** How old it may be: since then its node may have said something that is still under way. */
  stalenessMs(entry: NearEntry, now: Instant): number {
    return Math.max(0, now - entry.shard.confirmedAt);
  }

  /** An answer has shown the shard at this place. */
  raised(shard: ShardId, index: number): void {
    this.#shards[shard]?.raised(index);
  }

  /** What this session must not go behind is something else now, or it has ended. */
  revokeAll(): void {
    for (const shard of this.#shards) shard?.revoke();
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
