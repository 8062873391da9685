import {
  LIMITS,
  type FeedChange,
  type FeedFilter,
  type FeedGap,
  type FeedOpen,
  type ShardId,
} from '@memgrid/protocol';
import type { LinkId } from '../link-id.ts';
import type { AppliedChange } from '../shards/shards-io.ts';
import type { GatewayEffect, GatewayLimits, GatewayOptions } from './gateway-io.ts';
import { RecentChanges, type RecentChange } from './recent-changes.ts';

/** A feed that nothing matches tells so after this many changes, so that it can be resumed there. */
const SILENT_CHANGES_MAX = 512;
/** What a message of a feed costs besides its changes. */
const MESSAGE_BYTES = 64;
const CHANGE_BYTES = 128;

interface Feed {
  readonly link: LinkId;
  readonly feed: number;
  readonly shard: ShardId;
  readonly filter: FeedFilter;
  readonly keysOnly: boolean;
  /** Looked at up to here. */
  position: number;
  /** The client knows that it has everything up to here. */
  told: number;
  /** It was ready for more and was not let: what it then misses, it misses by its own slowness. */
  waited: boolean;
}

interface Reader {
  readonly feeds: Map<number, Feed>;
  /** Bytes that may still be sent. */
  credit: number;
  /** Its connection is full. */
  held: boolean;
}

export interface FeedsOptions {
  readonly limits: GatewayLimits;
  readonly appliedIndex: GatewayOptions['appliedIndex'];
  readonly changesAfter: GatewayOptions['changesAfter'];
  readonly emit: (effect: GatewayEffect) => void;
}

/**
 * Feeds of committed changes. A feed holds no changes of its own, only a place in what the node
 * remembers of the shard: however slow its client, it costs the same. One that falls behind what is
 * remembered is told of the gap. Of a shard without a feed nothing is remembered but its log.
 */
export class Feeds {
  readonly #options: FeedsOptions;
  readonly #recent: RecentChanges;
  readonly #readers = new Map<LinkId, Reader>();
  readonly #byShard = new Map<ShardId, Set<Feed>>();
  /** Feeds that may have something to say. */
  readonly #ready = new Set<Feed>();
  #count = 0;

  constructor(options: FeedsOptions) {
    this.#options = options;
    const { recentBytes, recentChanges } = options.limits;
    this.#recent = new RecentChanges({ bytesMax: recentBytes, changesMax: recentChanges });
  }

  get count(): number {
    return this.#count;
  }

  get recentBytes(): number {
    return this.#recent.bytes;
  }

  open(link: LinkId, { feed, shard, filter, keysOnly, after }: FeedOpen): void {
    this.close(link, feed);
    const { feedsMax, clientFeedsMax } = this.#options.limits;
    const applied = this.#options.appliedIndex(shard);
    if (applied === undefined) {
      this.#tellGap({ link, feed, shard }, 'moved', -1);
      return;
    }
    const reader = this.#readerOf(link);
    if (this.#count >= feedsMax || reader.feeds.size >= clientFeedsMax) {
      this.#tellGap({ link, feed, shard }, 'slow', -1);
      return;
    }
    const position = after < 0 ? applied : after;
    this.#recall(shard, position, applied);
    const opened: Feed = {
      link,
      feed,
      shard,
      filter,
      keysOnly,
      position,
      told: position,
      waited: false,
    };
    reader.feeds.set(feed, opened);
    this.#count += 1;
    setOf(this.#byShard, shard).add(opened);
    // One or the other says that the feed is open, and where it begins.
    if (!this.#noticeGap(opened)) this.#send(opened, [], MESSAGE_BYTES);
    this.#ready.add(opened);
  }

  close(link: LinkId, number: number): void {
    const feed = this.#readers.get(link)?.feeds.get(number);
    if (feed !== undefined) this.#remove(feed);
  }

  /** The client is gone. */
  forget(link: LinkId): void {
    for (const feed of [...(this.#readers.get(link)?.feeds.values() ?? [])]) this.#remove(feed);
    this.#readers.delete(link);
  }

  credit(link: LinkId, bytes: number): void {
    const reader = this.#readerOf(link);
    reader.credit = Math.min(reader.credit + bytes, this.#options.limits.feedCreditBytesMax);
    this.#awake(reader);
  }

  /** Its connection is full, or has room again. */
  hold(link: LinkId, held: boolean): void {
    const reader = this.#readers.get(link);
    if (reader === undefined || reader.held === held) return;
    reader.held = held;
    this.#awake(reader);
  }

  isHeld(link: LinkId): boolean {
    return this.#readers.get(link)?.held ?? false;
  }

  applied(changes: readonly AppliedChange[]): void {
    for (const change of changes) {
      const feeds = this.#byShard.get(change.shard);
      if (feeds === undefined) continue;
      this.#recent.append(change);
      for (const feed of feeds) this.#ready.add(feed);
    }
  }

  /** This node holds the shard no longer. */
  moved(shard: ShardId): void {
    for (const feed of [...(this.#byShard.get(shard) ?? [])]) {
      this.#tellGap(feed, 'moved', -1);
      this.#remove(feed);
    }
    this.#recent.drop(shard);
  }

  /** Sends what may be sent. Called at the end of each step. */
  pump(): void {
    for (const feed of this.#ready) {
      const reader = this.#readers.get(feed.link);
      if (reader !== undefined) this.#pumpOne(feed, reader);
    }
    this.#ready.clear();
  }

  /** What a feed has missed while it was away for a moment is still in the log. */
  #recall(shard: ShardId, position: number, applied: number): void {
    // A replica that took the shard over from another has nothing to tell of how it got there.
    if (this.#recent.last(shard) !== applied) this.#recent.drop(shard);
    const base = this.#recent.base(shard) ?? applied;
    if (position >= base) return;
    const changes = this.#options.changesAfter(shard, position, this.#options.limits.recentChanges);
    const [oldest] = changes;
    if (oldest === undefined || oldest.index > base) return;
    this.#recent.drop(shard);
    for (const change of changes) this.#recent.append(change);
  }

  #pumpOne(feed: Feed, reader: Reader): void {
    for (;;) {
      this.#noticeGap(feed);
      if (this.#recent.at(feed.shard, feed.position + 1) === undefined) return;
      // Keys alone are small, and a near cache that has to wait for them would serve what is old.
      if (reader.held || (reader.credit <= 0 && !feed.keysOnly)) {
        feed.waited = true;
        return;
      }
      const { changes, bytes } = this.#gather(feed);
      if (changes.length > 0 || feed.position - feed.told >= SILENT_CHANGES_MAX) {
        this.#send(feed, changes, bytes);
      }
      feed.waited = false;
    }
  }

  #noticeGap(feed: Feed): boolean {
    const base = this.#recent.base(feed.shard) ?? this.#options.appliedIndex(feed.shard);
    if (base === undefined || feed.position >= base) return false;
    feed.position = base;
    feed.told = base;
    this.#tellGap(feed, feed.waited ? 'slow' : 'trimmed', base);
    return true;
  }

  /** The next changes for one message; moves the feed's position past them. */
  #gather(feed: Feed): { changes: readonly FeedChange[]; bytes: number } {
    const changes: FeedChange[] = [];
    let bytes = MESSAGE_BYTES;
    const { feedMessageBytes } = this.#options.limits;
    while (bytes < feedMessageBytes && changes.length < LIMITS.feedChangesMax) {
      const recent = this.#recent.at(feed.shard, feed.position + 1);
      if (recent === undefined) break;
      feed.position += 1;
      if (!matches(feed.filter, recent)) continue;
      const change = feedChangeOf(recent, feed.keysOnly);
      if (change === undefined) continue;
      changes.push(change);
      bytes += CHANGE_BYTES + 3 * change.key.length + change.entry.length;
    }
    return { changes, bytes };
  }

  #send(feed: Feed, changes: readonly FeedChange[], bytes: number): void {
    const { link, shard, told, position } = feed;
    const epoch = this.#recent.at(shard, position)?.change.epoch ?? 0;
    const reader = this.#readerOf(link);
    if (!feed.keysOnly) reader.credit -= bytes;
    feed.told = position;
    this.#options.emit({
      kind: 'clientSend',
      link,
      message: {
        type: 'feedChanges',
        feed: feed.feed,
        shard,
        epoch,
        previous: told,
        to: position,
        changes,
      },
    });
  }

  #tellGap(
    { link, feed, shard }: Pick<Feed, 'link' | 'feed' | 'shard'>,
    reason: FeedGap['reason'],
    resumesAfter: number,
  ): void {
    const message: FeedGap = { type: 'feedGap', feed, shard, reason, resumesAfter };
    this.#options.emit({ kind: 'clientSend', link, message });
    this.#options.emit({ kind: 'event', event: { name: 'feed.gap', link, reason } });
  }

  #awake(reader: Reader): void {
    if (reader.held) return;
    for (const feed of reader.feeds.values()) if (feed.waited) this.#ready.add(feed);
  }

  #remove(feed: Feed): void {
    const reader = this.#readers.get(feed.link);
    if (reader?.feeds.delete(feed.feed) !== true) return;
    this.#count -= 1;
    this.#ready.delete(feed);
    const ofShard = this.#byShard.get(feed.shard);
    ofShard?.delete(feed);
    if (ofShard?.size !== 0) return;
    this.#byShard.delete(feed.shard);
    this.#recent.drop(feed.shard);
  }

  #readerOf(link: LinkId): Reader {
    const present = this.#readers.get(link);
    if (present !== undefined) return present;
    const credit = this.#options.limits.feedCreditBytes;
    const reader: Reader = { feeds: new Map(), credit, held: false };
    this.#readers.set(link, reader);
    return reader;
  }
}

/** A delete does not tell whose entry it was: it is shown to all that watch its namespace. */
function matches({ scope, key }: FeedFilter, recent: RecentChange): boolean {
  if (recent.change.kind === 'none') return false;
  if (scope.namespace !== '' && scope.namespace !== recent.namespace) return false;
  if (key !== '') return key === recent.id;
  const { userId, agentId, appId, runId } = scope;
  if (userId === '' && agentId === '' && appId === '' && runId === '') return true;
  const found = recent.scope();
  if (found === 'unknown') return true;
  return (
    isIn(userId, found.userId) &&
    isIn(agentId, found.agentId) &&
    isIn(appId, found.appId) &&
    isIn(runId, found.runId)
  );
}

function isIn(wanted: string, found: string): boolean {
  return wanted === '' || wanted === found;
}

function feedChangeOf({ change, id }: RecentChange, keysOnly: boolean): FeedChange | undefined {
  const { kind, version } = change;
  if (kind === 'none' || kind === 'unknown' || version === undefined) return undefined;
  return {
    key: id,
    kind,
    index: change.index,
    version,
    entry: keysOnly ? NOTHING : change.entry,
  };
}

const NOTHING = new Uint8Array();

function setOf<K, V>(sets: Map<K, Set<V>>, key: K): Set<V> {
  const present = sets.get(key);
  if (present !== undefined) return present;
  const made = new Set<V>();
  sets.set(key, made);
  return made;
}
