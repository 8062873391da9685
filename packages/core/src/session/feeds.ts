import type { FeedChange, FeedChanges, FeedFilter, FeedGap, ShardId } from '@memgrid/protocol';
import { broken } from '#breaks';
import { after, earliest } from '../machine.ts';
import type { Instant } from '../machine.ts';
import type { Random } from '../random.ts';
import type { NodeSlot } from '../routing/placement-table.ts';
import { NO_SLOT } from '../routing/placement-table.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Connections } from './connections.ts';
import type { Peer } from './peer.ts';
import { FROM_NOW } from './watch-position.ts';

/** Credit is given back in portions of this size: a quarter of what a node grants at first. */
const CREDIT_PORTION_BYTES = 256 * 1024;
/** A little more than a node counts for a change: credit must never leak away. */
const CHANGE_BYTES = 160;
const MESSAGE_BYTES = 64;
/** Pause before a feed is opened again that no replica would take. */
const REOPEN_MS_MIN = 50;
const REOPEN_MS_MAX = 1_000;

/** Whose changes a feed brings: a watch, or the near cache. */
export interface FeedConsumer {
  /** The feed has begun at `feed.last`: everything after it will come. */
  feedBegan(feed: Feed, now: Instant): void;
  feedChanged(feed: Feed, changes: readonly FeedChange[], bytes: number, now: Instant): void;
  /** Something between is missing; `feed.last` is where it goes on, `FROM_NOW` if not known. */
  feedMissed(feed: Feed, reason: FeedGap['reason'], now: Instant): void;
  /** Its connection is gone. It is opened elsewhere, and goes on where it was. */
  feedInterrupted(feed: Feed, now: Instant): void;
}

/** One shard's changes, at whichever replica has the time. */
export interface Feed {
  readonly id: number;
  readonly shard: ShardId;
  readonly filter: FeedFilter;
  readonly keysOnly: boolean;
  readonly consumer: FeedConsumer;
  /** Only the primary will do: another replica may not know yet what was acknowledged. */
  readonly atPrimary: boolean;
  /** Everything up to here has come; `FROM_NOW` before it began. */
  last: number;
  peer: Peer | undefined;
  openedAt: Instant;
  avoid: NodeSlot;
  failures: number;
  reopenAt: Instant;
}

export interface FeedRequest {
  readonly shard: ShardId;
  readonly filter: FeedFilter;
  readonly keysOnly: boolean;
  readonly after: number;
  readonly atPrimary: boolean;
  readonly consumer: FeedConsumer;
}

export interface FeedsOptions {
  readonly cluster: ClusterView;
  readonly connections: Connections;
  readonly random: Random;
}

const LONG_AGO = -Infinity as Instant;

/** Feeds of changes, kept open across connections. See DESIGN.md, Q14. */
export class Feeds {
  readonly #options: FeedsOptions;
  readonly #feeds = new Map<number, Feed>();
  readonly #closed = new Set<Feed>();
  readonly #credit = new Map<Peer, number>();
  #nextFeed = 1;

  constructor(options: FeedsOptions) {
    this.#options = options;
  }

  get wakeAt(): Instant | undefined {
    let soonest: Instant | undefined;
    for (const feed of this.#closed) {
      soonest = earliest(soonest, feed.reopenAt);
    }
    return soonest;
  }

  open(request: FeedRequest, now: Instant): Feed {
    const { after: last, ...rest } = request;
    const feed: Feed = {
      ...rest,
      id: this.#nextFeed,
      last,
      peer: undefined,
      openedAt: LONG_AGO,
      avoid: NO_SLOT,
      failures: 0,
      reopenAt: LONG_AGO,
    };
    this.#nextFeed += 1;
    this.#feeds.set(feed.id, feed);
    this.#tryOpen(feed, now);
    return feed;
  }

  close(feed: Feed): void {
    this.#feeds.delete(feed.id);
    this.#closed.delete(feed);
    const { peer } = feed;
    if (peer === undefined) return;
    feed.peer = undefined;
    peer.feedCount -= 1;
    if (peer.isConnected) {
      this.#options.connections.send(peer, { type: 'feedClose', feed: feed.id });
    }
  }

  retry(now: Instant): void {
    for (const feed of [...this.#closed]) if (feed.reopenAt <= now) this.#tryOpen(feed, now);
  }

  /** There are newer owners: what only a primary may tell is heard from the new one. */
  placed(changed: readonly ShardId[], now: Instant): void {
    if (changed.length > 0) {
      const shards = new Set(changed);
      for (const feed of this.#feeds.values()) {
        if (feed.atPrimary && shards.has(feed.shard)) this.#followPrimary(feed, now);
      }
    }
    this.retryAll(now);
  }

  #followPrimary(feed: Feed, now: Instant): void {
    const { peer } = feed;
    const primary = this.#options.cluster.placement?.primaryOf(feed.shard);
    if (peer === undefined || peer.slot === primary) return;
    if (peer.isConnected) {
      this.#options.connections.send(peer, { type: 'feedClose', feed: feed.id });
    }
    this.#interrupt(feed, now);
    this.#tryOpen(feed, now);
  }

  /** A connection, or newer owners: whoever waits may find a replica now. */
  retryAll(now: Instant): void {
    for (const feed of [...this.#closed]) this.#tryOpen(feed, now);
  }

  lost(peer: Peer, now: Instant): void {
    this.#credit.delete(peer);
    if (peer.feedCount === 0) return;
    for (const feed of this.#feeds.values()) {
      if (feed.peer !== peer) continue;
      this.#interrupt(feed, now);
      this.#tryOpen(feed, now);
    }
  }

  changed(peer: Peer, message: FeedChanges, now: Instant): void {
    const bytes = bytesOf(message.changes);
    this.#giveBack(peer, bytes);
    const feed = this.#feeds.get(message.feed);
    // Closed, or opened elsewhere, while this was under way.
    if (feed === undefined || feed.peer !== peer) return;
    feed.failures = 0;
    if (feed.last === FROM_NOW) {
      feed.last = message.previous;
      // An answer to the opening: whatever the node had said before it has arrived.
      if (feed.openedAt > peer.confirmedAt) peer.confirmedAt = feed.openedAt;
      feed.consumer.feedBegan(feed, now);
    } else if (message.previous !== feed.last && !broken('session.feed-in-order')) {
      this.#outOfOrder(feed, message, now);
      return;
    }
    feed.last = message.to;
    feed.consumer.feedChanged(feed, message.changes, bytes, now);
  }

  missed(peer: Peer, message: FeedGap, now: Instant): void {
    const feed = this.#feeds.get(message.feed);
    if (feed === undefined || feed.peer !== peer) return;
    if (message.resumesAfter >= 0) {
      feed.failures = 0;
      const began = feed.last !== FROM_NOW;
      feed.last = message.resumesAfter;
      if (began) feed.consumer.feedMissed(feed, message.reason, now);
      else feed.consumer.feedBegan(feed, now);
      return;
    }
    // Nothing is missed yet: another replica may have it all.
    this.#interrupt(feed, now);
    feed.avoid = peer.slot;
    this.#later(feed, now);
  }

  #tryOpen(feed: Feed, now: Instant): void {
    const peer = this.#choose(feed);
    if (peer === undefined) {
      // Perhaps there is nobody but the one that did not take it.
      feed.avoid = NO_SLOT;
      this.#later(feed, now);
      return;
    }
    this.#closed.delete(feed);
    feed.peer = peer;
    feed.openedAt = now;
    feed.avoid = NO_SLOT;
    peer.feedCount += 1;
    peer.confirmAgainAt = now;
    const { id, shard, filter, keysOnly, last } = feed;
    this.#options.connections.send(peer, {
      type: 'feedOpen',
      feed: id,
      shard,
      filter,
      keysOnly,
      after: last,
    });
    if (last !== FROM_NOW) feed.consumer.feedBegan(feed, now);
  }

  /** The primary, or the replica with the fewest feeds of ours. */
  #choose(feed: Feed): Peer | undefined {
    const { cluster, connections } = this.#options;
    const { placement } = cluster;
    if (placement === undefined) return undefined;
    const slots = feed.atPrimary
      ? [placement.primaryOf(feed.shard)]
      : placement.replicasOf(feed.shard);
    let best: Peer | undefined;
    for (const slot of slots) {
      const peer = connections.at(slot);
      if (peer === undefined) {
        connections.want(slot);
        continue;
      }
      if (!peer.usable || peer.suspect || slot === feed.avoid) continue;
      if (best === undefined || peer.feedCount < best.feedCount) best = peer;
    }
    return best;
  }

  /** What came does not follow on what came before: it is asked for again from there. */
  #outOfOrder(feed: Feed, message: FeedChanges, now: Instant): void {
    const { peer } = feed;
    if (peer === undefined) return;
    if (message.to <= feed.last) return;
    this.#options.connections.send(peer, { type: 'feedClose', feed: feed.id });
    this.#interrupt(feed, now);
    this.#later(feed, now);
  }

  #interrupt(feed: Feed, now: Instant): void {
    if (feed.peer !== undefined) feed.peer.feedCount -= 1;
    feed.peer = undefined;
    feed.consumer.feedInterrupted(feed, now);
  }

  #later(feed: Feed, now: Instant): void {
    const ceiling = Math.min(REOPEN_MS_MAX, REOPEN_MS_MIN * 2 ** Math.min(feed.failures, 10));
    feed.failures += 1;
    feed.reopenAt = after(now, this.#options.random.between(0, ceiling));
    this.#closed.add(feed);
  }

  #giveBack(peer: Peer, bytes: number): void {
    const owed = (this.#credit.get(peer) ?? 0) + bytes;
    if (owed < CREDIT_PORTION_BYTES) {
      this.#credit.set(peer, owed);
      return;
    }
    this.#credit.set(peer, 0);
    this.#options.connections.send(peer, { type: 'feedCredit', bytes: owed });
  }
}

/** What these changes weigh, for credit and for a watch's buffer. */
function bytesOf(changes: readonly FeedChange[]): number {
  let bytes = MESSAGE_BYTES;
  for (const { key, entry } of changes) bytes += CHANGE_BYTES + 3 * key.length + entry.length;
  return bytes;
}
