import type {
  LogSuffix,
  NodeId,
  RecordBody,
  ReplicateShardAck,
  ShardConfig,
  ShardEpoch,
  ShardPromise,
  SyncClass,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import { Activation, type ActivationOwner } from './activation.ts';
import type { MadeRecord } from './logged-record.ts';
import { earliest, type Instant } from '../machine.ts';
import { everyReplica, hasQuorum } from './quorum-rule.ts';
import { Replication } from './replication.ts';
import type { ShardContext } from './shard-context.ts';
import { StrongReads } from './strong-reads.ts';

export interface PrimaryOwner extends ActivationOwner {
  /** Quorum writes and strong reads are served from now on. */
  onActive(): void;
}

type KnownRecord = Pick<MadeRecord, 'winner' | 'bytes'>;

const UNKNOWN: KnownRecord = { winner: undefined, bytes: undefined };

type Phase =
  /** Collects promises and takes over the longest log. */
  | { readonly kind: 'promising' }
  /** The record that proves the epoch is logged and not committed. */
  | { readonly kind: 'activating'; readonly index: number }
  | { readonly kind: 'active' }
  /** Somebody promised a later epoch: this one is over, whatever the next one is. */
  | { readonly kind: 'fenced' };

/** One node as the primary of one shard in one epoch. */
export class Primary {
  readonly config: ShardConfig;
  /** Everybody who holds the shard or is about to. */
  readonly nodes: readonly NodeId[];
  readonly replication: Replication;
  readonly strongReads: StrongReads;
  readonly activation: Activation;
  readonly #context: ShardContext;
  readonly #owner: PrimaryOwner;
  #phase: Phase = { kind: 'promising' };
  /** What a report says, as a number: whether it is active, and two bits for each node. */
  #news = -1;

  constructor(context: ShardContext, config: ShardConfig, owner: PrimaryOwner) {
    this.#context = context;
    this.#owner = owner;
    this.config = config;
    this.nodes = everyReplica(config);
    this.replication = new Replication(context, config, () => owner.copy);
    this.strongReads = new StrongReads(context, config);
    this.activation = new Activation(context, config, owner);
  }

  get epoch(): ShardEpoch {
    return this.config.epoch;
  }

  get isActive(): boolean {
    return this.#phase.kind === 'active';
  }

  get isFenced(): boolean {
    return this.#phase.kind === 'fenced';
  }

  /** Whether a write quorum lives, as far as gossip knows. */
  get hasLiveQuorum(): boolean {
    return hasQuorum(this.replication.sets, (node) => {
      return node === this.#context.self || this.#context.isAlive(node);
    });
  }

  hasPromised(node: NodeId): boolean {
    return this.activation.hasPromised(node) || this.replication.peer(node)?.promised === true;
  }

  /** Whether a replica has nearly everything. */
  isCaughtUp(node: NodeId): boolean {
    return node === this.#context.self ? this.isActive : this.replication.isCaughtUp(node);
  }

  /** Whether what a report says of this epoch, sizes apart, is not what it said at the last call. */
  takeNews(): boolean {
    let news = this.isActive ? 1 : 0;
    for (const node of this.nodes) {
      news = news * 4 + (this.hasPromised(node) ? 2 : 0) + (this.isCaughtUp(node) ? 1 : 0);
    }
    if (news === this.#news) return false;
    this.#news = news;
    return true;
  }

  /** The own promise is durable: it counts. */
  ownPromised(): void {
    this.activation.ownPromised();
  }

  promised(from: NodeId, promise: ShardPromise): void {
    this.activation.promised(from, promise);
  }

  acknowledged(from: NodeId, ack: ReplicateShardAck): boolean {
    return this.replication.acknowledged(from, ack);
  }

  suffix(from: NodeId, suffix: LogSuffix): void {
    if (this.#phase.kind === 'promising') this.activation.suffix(from, suffix);
  }

  fenced(): void {
    this.#phase = { kind: 'fenced' };
  }

  /**
   * Nothing is under way, nobody waits, and no other replica has a say: the end of a step finds
   * nothing to do here.
   */
  get isAtRest(): boolean {
    const { copy } = this.#owner;
    if (!this.isActive || !this.replication.isAlone || !this.strongReads.isIdle) return false;
    return copy.commit === copy.log.lastIndex && this.config.stage === 'stable';
  }

  /**
   * Logs a record of this epoch and returns its index; it takes effect here where it commits at once.
   *
   * @param known what a write leaves under its key, and the bytes of `body`, where they are made.
   */
  append(body: RecordBody, sync: SyncClass, known: KnownRecord = UNKNOWN): number {
    const { copy } = this.#owner;
    const index = copy.log.lastIndex + 1;
    const { winner, bytes } = known;
    const made = { epoch: this.epoch, index, sync, body, winner, bytes };
    if (this.commitsAtOnce(sync)) copy.commitMade(made);
    else copy.appendMade(made);
    return index;
  }

  /** Does everything that has become possible; called at the end of every step. */
  finish(): void {
    if (this.#phase.kind === 'fenced') return;
    if (this.#phase.kind === 'promising') this.#activate();
    if (this.#phase.kind === 'promising') return;
    this.#commit();
    if (this.isActive) this.strongReads.advance(this.#owner.copy.applied.index);
    const { commit } = this.#owner.copy;
    // Confirmed reads may have let writes through, and a quorum of one commits at once.
    this.#commit();
    if (this.#owner.copy.commit > commit) this.#context.touched.add(this.config.shard);
    this.replication.sendAll();
  }

  get wakeAt(): Instant | undefined {
    if (this.#phase.kind === 'fenced') return undefined;
    const promising = this.#phase.kind === 'promising';
    const wakeAt = this.activation.wakeAt(promising || this.config.stage === 'admit');
    if (promising) return wakeAt;
    return earliest(wakeAt, earliest(this.replication.wakeAt, this.strongReads.wakeAt));
  }

  wake(now: Instant): void {
    if (this.#phase.kind === 'fenced') return;
    const promising = this.#phase.kind === 'promising';
    this.activation.wake(now, promising || this.config.stage === 'admit');
    if (promising) return;
    this.replication.wake(now);
    this.strongReads.wake(now);
  }

  reset(peer: NodeId): void {
    if (this.#phase.kind === 'fenced') return;
    if (this.#phase.kind === 'promising') this.activation.reset(peer);
    else this.replication.reset(peer);
  }

  /** Whether a record is committed by being here: alone, and behind nothing that is not. */
  commitsAtOnce(sync: SyncClass): boolean {
    const { copy } = this.#owner;
    if (sync !== 'memory' || !this.isActive || !this.replication.isAlone) return false;
    // Not only committed: while several records take effect, one of them may let a write through
    // that waited for it, and the others still come before that.
    return copy.applied.index === copy.log.lastIndex;
  }

  #activate(): void {
    if (!this.activation.advance()) return;
    const index = this.append({ kind: 'activate' }, 'disk');
    this.replication.begin(index);
    this.#phase = { kind: 'activating', index };
  }

  #commit(): void {
    const { copy } = this.#owner;
    while (copy.commit < copy.log.lastIndex) {
      const committable = this.replication.committable;
      if (committable <= copy.commit) return;
      // A majority may hold records of earlier epochs that a longer log still replaces; a record
      // of this epoch on top of them is what settles them (Raft's rule of the leader's own term).
      if (
        this.#phase.kind === 'activating' &&
        committable < this.#phase.index &&
        !broken('shards.activation-record-commits')
      ) {
        return;
      }
      copy.commitTo(committable);
      this.replication.noteCommit();
      if (this.#phase.kind === 'activating' && copy.commit >= this.#phase.index) {
        this.#phase = { kind: 'active' };
        this.#owner.onActive();
      }
    }
  }
}
