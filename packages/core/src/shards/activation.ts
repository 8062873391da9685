import type {
  LogSuffix,
  NodeId,
  ShardConfig,
  ShardPosition,
  ShardPromise,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import { after, type Instant } from '../machine.ts';
import { everyReplica, hasQuorum, type QuorumSet, writeSets } from './quorum-rule.ts';
import type { ShardContext } from './shard-context.ts';
import type { ShardCopy } from './shard-copy.ts';
import { comparePositions } from './shard-log.ts';

export interface ActivationOwner {
  readonly copy: ShardCopy;
  readonly isComplete: boolean;
  /**
   * Appends what a longer log has after this one's commit.
   *
   * @returns false when it does not fit: then only the whole shard helps.
   */
  adopt(suffix: LogSuffix): boolean;
  /** The log of `from` does not reach back far enough: take its whole shard. */
  streamFrom(from: NodeId): void;
}

interface Pull {
  readonly from: NodeId;
  readonly number: number;
  readonly askedAt: Instant;
  /** The logs are the same up to here. */
  readonly after: ShardPosition;
}

/**
 * What a new primary does before it may log anything: it asks a majority of every write set to
 * accept nothing older, and takes over the longest log among them, in which everything is that any
 * earlier primary committed. See DESIGN.md, F6 and F7.
 */
export class Activation {
  readonly #context: ShardContext;
  readonly #config: ShardConfig;
  readonly #owner: ActivationOwner;
  readonly #sets: readonly QuorumSet[];
  readonly #promises = new Map<NodeId, ShardPosition>();
  #ownPromised = false;
  #askedAt: Instant | undefined;
  #silentCount = 0;
  #pull: Pull | undefined;
  #streaming = false;

  constructor(context: ShardContext, config: ShardConfig, owner: ActivationOwner) {
    this.#context = context;
    this.#config = config;
    this.#owner = owner;
    this.#sets = writeSets(config);
  }

  /** The own promise is on disk. */
  ownPromised(): void {
    this.#ownPromised = true;
  }

  /** Asks everybody who has not answered. */
  ask(): void {
    this.#askedAt = this.#context.now;
    for (const node of everyReplica(this.#config)) {
      if (node === this.#context.self || this.#promises.has(node)) continue;
      this.#context.outbox.promise(node, this.#config.shard, this.#config.epoch);
    }
  }

  promised(from: NodeId, { last }: ShardPromise): void {
    this.#promises.set(from, last);
  }

  hasPromised(node: NodeId): boolean {
    return node === this.#context.self ? this.#ownPromised : this.#promises.has(node);
  }

  /** Whether everybody has answered. */
  get isComplete(): boolean {
    return everyReplica(this.#config).every((node) => this.hasPromised(node));
  }

  /** Whether this log is the longest of a quorum of promises; fetches what is missing. */
  advance(): boolean {
    // A stream is about to put another copy in this one's place.
    if (!this.#owner.isComplete) return false;
    if (broken('shards.promise-before-serving')) return true;
    if (!hasQuorum(this.#sets, (node) => this.hasPromised(node))) return false;
    if (broken('shards.longest-complete-log-wins')) return true;
    const source = this.#longest();
    if (source === undefined) {
      this.#pull = undefined;
      return true;
    }
    if (!this.#streaming && this.#pull?.from !== source) {
      this.#pullFrom(source, this.#committed);
    }
    return false;
  }

  /** The next records of the log that is longer than this one. */
  suffix(from: NodeId, suffix: LogSuffix): void {
    if (this.#pull?.from !== from || this.#pull.number !== suffix.pull) return;
    this.#pull = undefined;
    if (suffix.gone || !this.#owner.adopt(suffix)) {
      this.#streaming = true;
      this.#owner.streamFrom(from);
      return;
    }
    const { last } = this.#owner.copy.log;
    if (suffix.more) this.#pullFrom(from, last);
    // It may have less than it promised: what was not synced there is gone after its restart.
    else this.#promises.set(from, last);
  }

  /** The stream ended, well or not: look again who is ahead. */
  streamEnded(): void {
    this.#streaming = false;
  }

  /** @param joining also while everything else is done: some joiner has not answered. */
  wakeAt(joining: boolean): Instant | undefined {
    const { retryMs } = this.#context.config;
    if (this.#pull !== undefined) return after(this.#pull.askedAt, retryMs);
    if (this.#askedAt === undefined || !joining || this.isComplete) return undefined;
    return after(this.#askedAt, retryMs * Math.min(8, 2 ** this.#silentCount));
  }

  wake(now: Instant, joining: boolean): void {
    const wakeAt = this.wakeAt(joining);
    if (wakeAt === undefined || wakeAt > now) return;
    if (this.#pull === undefined) {
      this.#silentCount += 1;
      this.ask();
      return;
    }
    // The source is silent. It may be gone; another one may answer meanwhile.
    const { from } = this.#pull;
    if (this.#context.isAlive(from)) {
      this.#pullFrom(from, this.#pull.after);
    } else {
      this.#promises.delete(from);
      this.#pull = undefined;
      this.ask();
    }
  }

  /** It may have started again, and have lost what was not synced: its log is asked for anew. */
  reset(peer: NodeId): void {
    if (this.#pull?.from === peer) this.#pull = undefined;
    this.#promises.delete(peer);
    if (this.#askedAt !== undefined) this.ask();
  }

  #longest(): NodeId | undefined {
    let best: NodeId | undefined;
    let bestLast = this.#owner.copy.log.last;
    for (const [node, last] of this.#promises) {
      if (comparePositions(last, bestLast) <= 0) continue;
      best = node;
      bestLast = last;
    }
    return best;
  }

  /** Here the log is the same everywhere; what follows may still be another one's. */
  get #committed(): ShardPosition {
    const { log, commit } = this.#owner.copy;
    return log.positionAt(commit);
  }

  #pullFrom(from: NodeId, position: ShardPosition): void {
    const { now, outbox } = this.#context;
    const pull = this.#context.nextNumber();
    this.#pull = { from, number: pull, askedAt: now, after: position };
    const { shard, epoch } = this.#config;
    outbox.send(from, { type: 'logPull', shard, epoch, after: position, pull });
  }
}
