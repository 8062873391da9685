import type {
  LogRecord,
  NodeId,
  Relay,
  ReplicateShard,
  ReplicateShardAck,
  ShardConfig,
  ShardEpoch,
  ShardId,
  SyncClass,
} from '@memgrid/protocol';
import { LIMITS } from '@memgrid/protocol';
import { after, type Instant } from '../machine.ts';
import { matchRecords } from './log-matching.ts';
import type { PromiseKeeper } from './promise-keeper.ts';
import { hasQuorum, writeSets } from './quorum-rule.ts';
import type { ShardContext } from './shard-context.ts';
import type { ShardCopy } from './shard-copy.ts';
import type { LoggedRecord } from './logged-record.ts';

export interface FollowingOwner {
  readonly shard: ShardId;
  readonly promise: PromiseKeeper;
  readonly config: ShardConfig | undefined;
  /** Where records go: the copy that a stream fills, or the one that counts. */
  readonly receiving: ShardCopy;
  /** The copy that counts. */
  readonly copy: ShardCopy;
  /** Of the promised epoch, as far as it is known. */
  readonly primaryNode: NodeId | undefined;
  /** Whether the receiving copy is whole. */
  readonly isComplete: boolean;
  onCut(copy: ShardCopy, cut: readonly LoggedRecord[]): void;
  /** This copy cannot follow any more: only the whole shard helps. */
  streamFrom(from: NodeId): void;
}

const RELAY_BYTES = 512 * 1024;

/**
 * The longest that gossip takes to give up a node that only one other suspects: `suspicionMaxMs` of
 * the wide-area profile among 300 nodes; a fifth of it in a local network. Milliseconds.
 */
export const SILENCE_MS_MAX = 300_000;

/** Nobody has said anything since this process began: a year, so beyond what anybody accepts. */
export const STALENESS_UNKNOWN_MS = 365 * 24 * 60 * 60_000;

/** A replica as the primary of its epoch sees it: takes records, acknowledges what is safe. */
export class Following {
  readonly #context: ShardContext;
  readonly #owner: FollowingOwner;
  /** The log is the primary's up to here; of `#epoch`. */
  #matched = 0;
  #epoch: ShardEpoch = 0;
  #leader: NodeId | undefined;
  #acknowledged = { memory: 0, os: 0, disk: 0 };
  /** When the primary last said something that left nothing open; undefined in this life. */
  #currentAt: Instant | undefined;
  /** Whether that is also the last that it said. */
  #leftNothingOpen = false;
  /** To whom this replica brings records that the primary does not, and in which epoch. */
  readonly #relays = new Map<NodeId, Relay>();

  constructor(context: ShardContext, owner: FollowingOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /**
   * How old what is applied here may be. Since the primary last left nothing open; but an idle shard
   * says nothing, so this stays within what gossip takes to notice a silence, as long as it counts
   * the primary and a write quorum as alive: until then nobody else can have been made primary, and
   * the primary tells whoever lives what it commits.
   */
  get stalenessMs(): number {
    if (this.#currentAt === undefined) return STALENESS_UNKNOWN_MS;
    const ms = Math.max(0, Math.round(this.#context.now - this.#currentAt));
    return this.#isTold ? Math.min(ms, SILENCE_MS_MAX) : ms;
  }

  /** Called before anything changes on which `stalenessMs` rests: it counts on from here. */
  noteTold(): void {
    if (this.#currentAt === undefined || !this.#isTold) return;
    const { now } = this.#context;
    if (now - this.#currentAt > SILENCE_MS_MAX) this.#currentAt = after(now, -SILENCE_MS_MAX);
  }

  /** Gossip has another verdict. After a death only the primary's own word counts again. */
  noteAlive(): void {
    if (!this.#isTold) this.#leftNothingOpen = false;
  }

  /** Whether the primary would have told this replica of anything new, as far as gossip knows. */
  get #isTold(): boolean {
    const { config, primaryNode, promise } = this.#owner;
    if (config === undefined || !this.#leftNothingOpen) return false;
    if (config.epoch !== this.#epoch || promise.epoch !== this.#epoch) return false;
    if (this.#leader === undefined || this.#leader !== primaryNode) return false;
    const { self } = this.#context;
    if (!this.#context.isAlive(this.#leader)) return false;
    return hasQuorum(writeSets(config), (node) => node === self || this.#context.isAlive(node));
  }

  /** The receiving copy is another one: what matched has to be found out again. */
  restart(): void {
    this.#matched = this.#owner.receiving.commit;
    this.#acknowledged = { memory: 0, os: 0, disk: 0 };
  }

  /** Records of an epoch that is promised. The caller has checked that it is not an older one. */
  replicate(from: NodeId, item: ReplicateShard): void {
    this.noteTold();
    this.#enter(item.epoch);
    if (this.#owner.primaryNode === undefined || this.#owner.primaryNode === from) {
      this.#leader = from;
    }
    // Who relays records does not know what else is committed.
    const isPrimary = from === this.#leader;
    if (isPrimary) this.#leftNothingOpen = false;
    const copy = this.#owner.receiving;
    const result = matchRecords(copy, item.previous, item.records);
    if (result.kind === 'diverged') {
      this.#owner.streamFrom(from);
      return;
    }
    if (result.kind === 'mismatch') {
      this.#acknowledge(from, result.hint);
      return;
    }
    this.#owner.onCut(copy, result.cut);
    this.#matched = Math.max(this.#matched, result.upTo);
    copy.commitTo(Math.min(item.commit, this.#matched));
    if (isPrimary && copy.commit >= item.commit) {
      this.#leftNothingOpen = true;
      this.#currentAt = this.#context.now;
    }
    if (this.#isWorthAnAnswer(copy, item.records)) this.#acknowledge(from, undefined);
  }

  /** More of the log is safe: tell the primary, if it cares. */
  stored(copy: ShardCopy): void {
    if (copy !== this.#owner.receiving || this.#leader === undefined) return;
    if (this.#epoch !== this.#owner.promise.epoch) return;
    const { os, disk } = this.#marks(copy);
    const news =
      this.#asksFor(copy, 'os', { from: this.#acknowledged.os, to: os }) ||
      this.#asksFor(copy, 'disk', { from: this.#acknowledged.disk, to: disk });
    if (news) this.#acknowledge(this.#leader, undefined);
  }

  /** The stream set a base: the primary is to go on from there. */
  announce(source: NodeId): void {
    const { primaryNode, promise, receiving } = this.#owner;
    if (primaryNode === this.#context.self) return;
    this.#enter(promise.epoch);
    this.restart();
    this.#acknowledge(primaryNode ?? source, receiving.log.lastIndex);
  }

  /** Tells the primary where this replica is, unasked: it has become complete. */
  report(): void {
    this.#enter(this.#owner.promise.epoch);
    const to = this.#owner.primaryNode ?? this.#leader;
    if (to !== undefined && to !== this.#context.self) this.#acknowledge(to, undefined);
  }

  /** Asked to bring `to` what it lacks, because the primary does not. */
  relay(relay: Relay): void {
    this.#relays.set(relay.to, relay);
    this.#relayFrom(relay, this.#owner.copy.commit);
  }

  /** An answer to what was relayed. */
  relayed(from: NodeId, ack: ReplicateShardAck): void {
    const relay = this.#relays.get(from);
    if (relay === undefined) return;
    // What this log holds is the primary's only in the epoch in which it was found to be in sync.
    const goesOn = ack.mismatch && ack.epoch === relay.epoch && ack.memory < relay.upTo;
    if (goesOn) this.#relayFrom(relay, ack.memory);
    else this.#relays.delete(from);
  }

  #relayFrom({ epoch, to, upTo }: Relay, index: number): void {
    const { copy, shard } = this.#owner;
    if (index < copy.log.base.index || index > copy.log.lastIndex) {
      this.#relays.delete(to);
      return;
    }
    const records = copy.log
      .after(index, LIMITS.recordsMax, RELAY_BYTES)
      .filter((record) => record.index <= upTo);
    const previous = copy.log.positionAt(index);
    const { commit } = copy;
    this.#context.outbox.replicate(to, { shard, epoch, previous, commit, records });
  }

  #enter(epoch: ShardEpoch): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#leftNothingOpen = false;
    this.#leader = undefined;
    this.restart();
    this.#relays.clear();
  }

  #marks(copy: ShardCopy): { memory: number; os: number; disk: number } {
    const { os, disk } = copy.marks;
    const memory = this.#matched;
    return { memory, os: Math.min(os, memory), disk: Math.min(disk, memory) };
  }

  /** Whether any record in the range has to be that safe: only then does the primary wait. */
  #asksFor(copy: ShardCopy, sync: SyncClass, range: { from: number; to: number }): boolean {
    const first = Math.max(range.from, copy.log.base.index) + 1;
    for (let index = first; index <= range.to; index += 1) {
      if (copy.log.at(index)?.sync === sync) return true;
    }
    return false;
  }

  /** Records that have to be synced first are answered then, and only once. */
  #isWorthAnAnswer(copy: ShardCopy, records: readonly LogRecord[]): boolean {
    const last = records.at(-1);
    if (last === undefined || records.some(({ sync }) => sync !== 'disk')) return true;
    return this.#marks(copy).disk >= Math.min(last.index, this.#matched);
  }

  /** @param hint instead of an acknowledgement: try again after this index. */
  #acknowledge(to: NodeId, hint: number | undefined): void {
    const { promise, shard } = this.#owner;
    const epoch = this.#epoch;
    promise.whenDurable(epoch, () => {
      if (promise.epoch !== epoch || this.#epoch !== epoch) return;
      const copy = this.#owner.receiving;
      const marks = this.#marks(copy);
      if (hint === undefined) this.#acknowledged = marks;
      this.#context.outbox.replicateAck(to, {
        shard,
        epoch,
        memory: hint ?? marks.memory,
        os: hint === undefined ? marks.os : 0,
        disk: hint === undefined ? marks.disk : 0,
        complete: this.#owner.isComplete,
        applied: copy.applied.index,
        mismatch: hint !== undefined,
      });
    });
  }
}
