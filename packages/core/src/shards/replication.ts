import type { NodeId, ReplicateShardAck, ShardConfig, SyncClass } from '@memgrid/protocol';
import { after, earliest, type Instant } from '../machine.ts';
import type { LoggedRecord } from './logged-record.ts';
import { PeerProgress } from './peer-progress.ts';
import { quorumReached, type QuorumSet, recordReceivers, writeSets } from './quorum-rule.ts';
import type { ShardContext } from './shard-context.ts';
import type { ShardCopy } from './shard-copy.ts';

/** Records under way to one replica beyond what it has acknowledged. */
const WINDOW_RECORDS = 1024;
/** Bodies in one message for one shard. */
const BATCH_BYTES = 512 * 1024;
/** A replica that lacks no more than this is caught up: it will be level in a moment. */
const REACH_RECORDS = 256;
/** Records of a message that only looks for where the log matches. */
const PROBE_RECORDS = 64;
/** A silent replica is tried ever more rarely, up to this many times the usual pause. */
const PATIENCE_MAX = 16;

/**
 * The primary's half of replication, for one shard in one epoch: what each replica has, what to
 * send it next, and up to where a write quorum has it.
 */
export class Replication {
  readonly sets: readonly QuorumSet[];
  readonly #context: ShardContext;
  readonly #config: ShardConfig;
  readonly #copy: () => ShardCopy;
  readonly #peers = new Map<NodeId, PeerProgress>();
  readonly #receivers: readonly NodeId[];
  #commitDueAt: Instant | undefined;

  constructor(context: ShardContext, config: ShardConfig, copy: () => ShardCopy) {
    this.#context = context;
    this.#config = config;
    this.#copy = copy;
    this.sets = writeSets(config);
    this.#receivers = recordReceivers(config).filter((node) => node !== context.self);
    for (const node of [...config.replicas, ...config.next]) {
      if (node === context.self || this.#peers.has(node)) continue;
      this.#peers.set(node, new PeerProgress(node, copy().log.lastIndex + 1));
    }
  }

  /** The log is the longest now: everybody is sent what comes from `index` on. */
  begin(index: number): void {
    for (const peer of this.#peers.values()) peer.next = index;
  }

  /** No other replica has a say. */
  get isAlone(): boolean {
    return this.#peers.size === 0;
  }

  peer(node: NodeId): PeerProgress | undefined {
    return this.#peers.get(node);
  }

  /** Up to where every replica, present or not, is known to have applied. */
  get appliedByAll(): number {
    let applied = this.#copy().applied.index;
    for (const peer of this.#peers.values()) {
      applied = Math.min(applied, peer.complete ? peer.applied : 0);
    }
    return applied;
  }

  /** Whether a replica is whole and has nearly everything. */
  isCaughtUp(node: NodeId): boolean {
    const peer = this.#peers.get(node);
    if (peer === undefined || !peer.complete || peer.probing) return false;
    return peer.match.memory + REACH_RECORDS >= this.#copy().log.lastIndex;
  }

  /** The highest index that a write quorum has in `sync`. */
  reached(sync: SyncClass): number {
    const own = this.#copy().mark(sync);
    // Alone, what this node has is what a quorum has.
    if (this.#peers.size === 0) return own;
    return quorumReached(this.sets, (node, set) => {
      if (node === this.#context.self) return own;
      const peer = this.#peers.get(node);
      if (peer === undefined || !(peer.complete || set.incompleteCounts)) return 0;
      return peer.match[sync];
    });
  }

  /** The end of the records after the commit that have their write quorum, without a hole. */
  get committable(): number {
    const { log, commit } = this.#copy();
    const { lastIndex } = log;
    let index = commit;
    let sync: SyncClass | undefined;
    let reached = 0;
    while (index < lastIndex) {
      const record = log.at(index + 1) as LoggedRecord;
      // Records of one class mostly follow each other.
      if (record.sync !== sync) {
        sync = record.sync;
        reached = this.reached(sync);
      }
      if (index + 1 > reached) break;
      index += 1;
    }
    return index;
  }

  /** Sends every replica what it lacks, as far as it may be under way at once. */
  sendAll(): void {
    for (const node of this.#receivers) {
      const peer = this.#peers.get(node) as PeerProgress;
      // Nobody listens there: the retry decides when to try again.
      if (peer.waitingSince !== undefined && !this.#context.isAlive(node)) continue;
      this.#sendRecords(peer);
    }
  }

  /** The commit has advanced; replicas learn it with the next records, or a little later. */
  noteCommit(): void {
    if (this.#receivers.length === 0) return;
    this.#commitDueAt ??= after(this.#context.now, this.#context.config.commitDelayMs);
  }

  /** @returns whether there may be something to do because of it. */
  acknowledged(from: NodeId, ack: ReplicateShardAck): boolean {
    const peer = this.#peers.get(from);
    if (peer === undefined) return false;
    // A replica's log may be longer than the primary's: what is beyond its end will be cut off.
    const { log, commit } = this.#copy();
    const within = ack.memory <= log.lastIndex ? ack : { ...ack, memory: log.lastIndex };
    const isNews = peer.acknowledged(within, this.#context.now);
    if (peer.sentCommit >= commit) return isNews;
    this.noteCommit();
    return true;
  }

  /** The connection to a peer began anew, perhaps because it did: it is asked where it is. */
  reset(node: NodeId): void {
    const peer = this.#peers.get(node);
    if (peer === undefined || !this.#receivers.includes(node)) return;
    peer.restarted();
    this.#sendRecords(peer, true);
  }

  get wakeAt(): Instant | undefined {
    let wakeAt = this.#commitDueAt;
    for (const peer of this.#peers.values()) wakeAt = earliest(wakeAt, this.#retryAt(peer));
    return wakeAt;
  }

  wake(now: Instant): void {
    if (this.#commitDueAt !== undefined && this.#commitDueAt <= now) this.#tellCommit();
    for (const peer of this.#peers.values()) {
      const retryAt = this.#retryAt(peer);
      if (retryAt === undefined || retryAt > now) continue;
      peer.silentCount += 1;
      peer.startFrom(peer.match.memory > 0 ? peer.match.memory : peer.next - 1);
      this.#sendRecords(peer, true);
    }
  }

  #retryAt(peer: PeerProgress): Instant | undefined {
    if (peer.waitingSince === undefined) return undefined;
    const patience = this.#context.isAlive(peer.node)
      ? Math.min(PATIENCE_MAX, 2 ** peer.silentCount)
      : PATIENCE_MAX;
    return after(peer.waitingSince, this.#context.config.retryMs * patience);
  }

  #tellCommit(): void {
    this.#commitDueAt = undefined;
    const { commit } = this.#copy();
    for (const node of this.#receivers) {
      const peer = this.#peers.get(node) as PeerProgress;
      // Who does not answer learns it with the retry.
      if (peer.sentCommit < commit && this.#context.isAlive(node)) this.#sendRecords(peer, true);
    }
  }

  /** @param anyway also when there are no records to send. */
  #sendRecords(peer: PeerProgress, anyway = false): void {
    if (peer.probing && peer.waitingSince !== undefined) return;
    const { log, commit } = this.#copy();
    if (!anyway && peer.next > log.lastIndex) return;
    const { epoch, shard } = this.#config;
    if (peer.next <= log.base.index) {
      this.#offerStream(peer);
      return;
    }
    while (true) {
      const room = WINDOW_RECORDS - (peer.next - 1 - peer.match.memory);
      const wanted = peer.probing ? PROBE_RECORDS : room;
      const countMax = Math.min(wanted, this.#context.config.messageRecordsMax);
      const records = countMax <= 0 ? [] : log.after(peer.next - 1, countMax, BATCH_BYTES);
      if (records.length === 0 && !anyway) return;
      const previous = log.positionAt(peer.next - 1);
      this.#context.outbox.replicate(peer.node, { shard, epoch, previous, commit, records });
      peer.noteSent(records, commit, this.#context.now);
      if (peer.probing || peer.next > log.lastIndex) return;
      anyway = false;
    }
  }

  /** Its log ends before this one begins: only the whole shard helps. */
  #offerStream(peer: PeerProgress): void {
    const { log, commit } = this.#copy();
    const { epoch, shard } = this.#config;
    peer.gone = true;
    peer.waitingSince = this.#context.now;
    this.#context.outbox.send(peer.node, {
      type: 'logSuffix',
      shard,
      epoch,
      pull: 0,
      previous: log.base,
      records: [],
      commit,
      gone: true,
      more: false,
    });
  }
}
