import type { FeedChange, FoundEntry, ShardId } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { Instant } from '../machine.ts';
import type { Feed, FeedConsumer } from './feeds.ts';
import { NO_PERMIT } from './near-entry.ts';
import type { NearStore } from './near-entry.ts';
import { FROM_NOW } from './watch-position.ts';

/** Late answers that wait for a shard's feed to begin. */
const WAITING_FILLS_MAX = 64;
/** Invalidations that a shard remembers, to tell a late answer from a good one. */
const RECENT_MAX = 256;

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
  /** Counts what may end a permit before its time: see `NearEntry`. */
  revision = 0;
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
    this.#store.set(namespace, found.key, {
      found,
      index,
      shard: this,
      generation: this.generation,
      expiresAt: this.#store.expiresAtOf(found),
      permittedUntilMs: NO_PERMIT,
      revision: this.revision,
      stalenessMs: 0,
      isRenewed: true,
    });
  }

  /** The feed has not begun: it will say whether anything has happened since. */
  keepLater(namespace: string, found: FoundEntry, index: number): void {
    if (this.#waiting.length < WAITING_FILLS_MAX) this.#waiting.push({ namespace, found, index });
  }

  /** The session has seen the shard at `floor`: what the feed has not confirmed so far may be older. */
  raised(floor: number): void {
    if (floor > this.last) this.revoke();
  }

  /** Every permit is asked for again. */
  revoke(): void {
    if (!broken('near-cache.permits-end')) this.revision += 1;
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
    this.revoke();
    this.#recent.clear();
    this.last = feed.last;
    this.#forgottenUpTo = feed.last;
  }

  feedInterrupted(): void {
    // Nothing is served meanwhile, because nobody confirms it. What was missed comes first when the
    // feed goes on, so nothing has to be dropped either.
    this.revoke();
  }
}
