import type {
  LogPull,
  LogSuffix,
  NodeId,
  Relay,
  ReplicateShard,
  ReplicateShardAck,
  ShardConfig,
  ShardEpoch,
  ShardId,
  ShardPosition,
  ShardPromise,
  ShardReport,
} from '@memgrid/protocol';
import { LIMITS } from '@memgrid/protocol';
import { broken } from '#breaks';
import { type Due, NOT_QUEUED } from '../due-queue.ts';
import { earliest, type Instant, isDue } from '../machine.ts';
import { appliedChange, unknownChange } from './applied-change.ts';
import { FadingAway } from './fading-away.ts';
import { Following } from './following.ts';
import { matchRecords } from './log-matching.ts';
import { Mending } from './mending.ts';
import { Orphans } from './orphans.ts';
import { Primary } from './primary.ts';
import { PromiseKeeper } from './promise-keeper.ts';
import { everyReplica } from './quorum-rule.ts';
import { Serving, type ServingOwner } from './serving.ts';
import type { ShardContext } from './shard-context.ts';
import { type AppliedRecord, type CopyOwner, ShardCopy } from './shard-copy.ts';
import type { LoggedRecord } from './logged-record.ts';
import type { RecoveredShard } from './shard-records.ts';
import type { ShardMessage, ShardStatus, ShardTotals } from './shards-io.ts';
import { ShardStreams } from './streams/shard-streams.ts';

const SUFFIX_BYTES = 512 * 1024;
/** A stream may keep so many times as many records as are kept anyway. */
const STREAM_PATIENCE = 8;

/** One shard as one node holds it: fence, log, and what this node is in the present epoch. */
export class ShardReplica implements CopyOwner, ServingOwner, Due {
  readonly shard: ShardId;
  dueAt: Instant = NOT_QUEUED;
  readonly promise: PromiseKeeper;
  readonly following: Following;
  readonly serving: Serving;
  readonly streams: ShardStreams;
  readonly mending: Mending;
  readonly orphans: Orphans;
  readonly #fadingAway: FadingAway;
  readonly #context: ShardContext;
  #config: ShardConfig | undefined;
  #isAlone = false;
  #isHeld = false;
  #copy: ShardCopy;
  #primary: Primary | undefined;
  /** Of the last change that watches were told about. */
  #toldIndex = 0;

  constructor(context: ShardContext, shard: ShardId, recovered?: RecoveredShard) {
    this.shard = shard;
    this.#context = context;
    const meta = recovered?.meta ?? { promised: 0, slot: 0 };
    this.promise = new PromiseKeeper(context, shard, meta);
    this.#copy = new ShardCopy(context, { shard, slot: meta.slot, owner: this }, recovered?.copy);
    this.following = new Following(context, this);
    this.serving = new Serving(context, this);
    this.mending = new Mending(context, this);
    this.orphans = new Orphans(context, this, recovered?.orphans ?? []);
    this.#fadingAway = new FadingAway(context, this);
    this.streams = new ShardStreams(context, this, recovered?.otherSlot ?? []);
  }

  get config(): ShardConfig | undefined {
    return this.#config;
  }

  get copy(): ShardCopy {
    return this.#copy;
  }

  get isAlone(): boolean {
    return this.#isAlone;
  }

  get receiving(): ShardCopy {
    return this.streams.incoming ?? this.#copy;
  }

  get isComplete(): boolean {
    return this.streams.incoming === undefined;
  }

  get promised(): ShardEpoch {
    return this.promise.epoch;
  }

  get primary(): Primary | undefined {
    return this.#primary?.isFenced === false ? this.#primary : undefined;
  }

  get primaryNode(): NodeId | undefined {
    return this.#config?.epoch === this.promised ? this.#config.primary : undefined;
  }

  get hint(): NodeId | undefined {
    const primary = this.#config?.primary;
    return primary === this.#context.self ? undefined : primary;
  }

  get stalenessMs(): number {
    return this.primary?.isActive === true ? 0 : this.following.stalenessMs;
  }

  /** Whether this node holds the shard, or is about to. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  isInSync(epoch: ShardEpoch): boolean {
    if (this.promised !== epoch || !this.isComplete) return false;
    if (broken('shards.quorum-read-in-sync')) return true;
    const { log, marks } = this.#copy;
    return log.epochAt(marks.disk) === epoch;
  }

  configure(config: ShardConfig): void {
    if (config.epoch <= (this.#config?.epoch ?? 0)) return;
    this.following.noteTold();
    this.#config = config;
    const { self, generation } = this.#context;
    const nodes = everyReplica(config);
    this.#isHeld = nodes.includes(self);
    this.#isAlone = nodes.every((node) => node === self);
    const before = this.#primary;
    this.#primary = undefined;
    this.orphans.forgetMerges();
    const confirming = before?.strongReads.drain() ?? [];
    const own =
      config.primary === self &&
      (config.primaryGeneration === generation || broken('shards.generation-must-match'));
    if (own && config.epoch >= this.promised) this.#lead(config);
    else this.serving.stepDown();
    for (const waiting of confirming) this.serving.operate(waiting);
    this.serving.quorumReads.restart();
    if (config.epoch >= this.promised) this.streams.configured(config);
    if (this.#isGivenUp) this.#drop();
  }

  /**
   * Others hold the shard, completely and for good. A configuration older than the promise says
   * nothing of the kind: this node may be a replica again in the one that it has not heard of.
   */
  get #isGivenUp(): boolean {
    const config = this.#config;
    if (config === undefined || config.epoch < this.promised) return false;
    return config.stage === 'stable' && !this.isHeld;
  }

  /** What this node promised stays promised: an earlier message may still be under way. */
  #drop(): void {
    const { shard } = this;
    this.serving.abandonReads();
    this.streams.stop();
    const copy = this.#copy;
    if (copy.log.lastIndex === 0) return;
    this.onReplacing();
    const entries = copy.clear();
    this.#copy = new ShardCopy(this.#context, { shard, slot: copy.slot, owner: this });
    this.mending.reset();
    this.orphans.copyReplaced();
    this.following.restart();
    this.#context.outbox.event({ name: 'shard.dropped', shard, entries });
  }

  onPromise(from: NodeId, epoch: ShardEpoch): void {
    if (this.#refuses(from, epoch)) return;
    this.#fence(epoch);
    this.promise.whenDurable(epoch, () => {
      if (this.promised !== epoch) return;
      const { last } = this.#copy.log;
      this.#context.outbox.promiseAck(from, { shard: this.shard, epoch, last });
    });
  }

  onPromiseAck(from: NodeId, promise: ShardPromise): void {
    if (promise.epoch === this.primary?.epoch) this.primary.promised(from, promise);
  }

  onReplicate(from: NodeId, item: ReplicateShard): void {
    if (this.#refuses(from, item.epoch)) return;
    this.#fence(item.epoch);
    this.following.replicate(from, item);
    this.streams.advance();
  }

  onReplicateAck(from: NodeId, ack: ReplicateShardAck): void {
    const { primary } = this;
    if (ack.epoch !== primary?.epoch) {
      if (ack.epoch === this.promised) this.following.relayed(from, ack);
    } else if (primary.acknowledged(from, ack)) {
      this.#context.touched.add(this.shard);
    }
  }

  onNack(current: ShardEpoch): void {
    if (this.primary === undefined || current <= this.primary.epoch) return;
    // Whoever took over will be named by the control group; until then nobody is served here.
    this.#endPrimary();
  }

  onPong(from: NodeId, round: number): void {
    this.primary?.strongReads.pong(from, round);
  }

  onMessage(from: NodeId, body: ShardMessage): void {
    switch (body.type) {
      case 'logPull':
        this.#onPull(from, body);
        return;
      case 'logSuffix':
        this.#onSuffix(from, body);
        return;
      case 'keyQuery':
        if (!this.#refuses(from, body.epoch)) this.serving.quorumReads.answer(from, body);
        return;
      case 'keyQueryResp':
        this.serving.quorumReads.answered(from, body);
        return;
      case 'relay':
        this.relay(body);
        return;
      case 'offerOrphan':
        this.orphans.onOffer(from, body);
        return;
      case 'orphanTaken':
        this.orphans.onTaken(body);
        return;
      default:
        this.streams.onMessage(from, body);
    }
  }

  relay(relay: Relay): void {
    if (this.isInSync(relay.epoch)) this.following.relay(relay);
  }

  onStored(copy: ShardCopy): void {
    if (copy === this.#copy) this.serving.writes.stored();
    const { primary } = this;
    if (primary === undefined) this.following.stored(copy);
    // All else goes on as soon as it is in memory, but for the first record of an epoch: what an
    // earlier one left commits only with that, whatever class it is of.
    const isAwaited = primary !== undefined && (!primary.isActive || copy.waitsForDisk);
    if (isAwaited || !this.streams.isIdle) this.#context.touched.add(this.shard);
  }

  onApplied(copy: ShardCopy, record: AppliedRecord): void {
    if (copy !== this.#copy) return;
    this.#tell(record);
    // Last: a write that waited for this may take effect at once, and is told after it.
    if (record.body.kind === 'write') this.mending.replaced(record.body.key);
  }

  #tell(record: AppliedRecord): void {
    this.serving.writes.applied(record);
    this.orphans.applied(record);
    // A shard that was given up and came back applies its log again: nobody hears it twice.
    if (record.at.index <= this.#toldIndex) return;
    this.#toldIndex = record.at.index;
    this.#context.outbox.applied(appliedChange(this.shard, record));
  }

  onCut(copy: ShardCopy, cut: readonly LoggedRecord[]): void {
    if (cut.length === 0) return;
    const from = (cut[0] as LoggedRecord).index;
    const { shard } = this;
    this.#context.outbox.event({ name: 'shard.truncated', shard, from, records: cut.length });
    if (copy !== this.#copy) return;
    this.serving.writes.cut(cut);
    this.orphans.onCut(cut);
  }

  onActive(): void {
    const epoch = this.#primary?.epoch ?? 0;
    this.#context.outbox.event({ name: 'shard.activated', shard: this.shard, epoch });
    this.serving.resume();
  }

  adopt(suffix: LogSuffix): boolean {
    const copy = this.#copy;
    const result = matchRecords(copy, suffix.previous, suffix.records);
    if (result.kind !== 'matched') return false;
    this.onCut(copy, result.cut);
    copy.commitTo(Math.min(suffix.commit, result.upTo));
    return true;
  }

  streamFrom(from: NodeId): void {
    this.streams.begin(from);
  }

  /** What was answered at `one` and is in nobody's log must outlive the only log that has it. */
  onReplacing(): void {
    this.orphans.onCut(this.#copy.uncommitted);
  }

  /** A stream has made another copy whole: from now on it is the one that counts. */
  install(copy: ShardCopy): void {
    this.#copy = copy;
    this.#tellGap(copy.applied);
    this.mending.reset();
    this.orphans.copyReplaced();
    this.serving.writes.abandonLogged(this.hint);
    this.following.restart();
    this.#primary?.activation.streamEnded();
    this.following.report();
    if (this.#isGivenUp) this.#drop();
  }

  /** Watches cannot be told what happened before a stream's base, but that something did. */
  #tellGap(at: ShardPosition): void {
    if (at.index <= this.#toldIndex) return;
    this.#toldIndex = at.index;
    this.#context.outbox.applied(unknownChange(this.shard, at));
  }

  /** Forgets log records beyond what lagging replicas are kept. */
  trim(countMax: number): void {
    const needed = this.streams.neededAfter ?? Number.MAX_SAFE_INTEGER;
    // A stream that takes for ever must not keep everything.
    const isPatient = this.#copy.log.count <= countMax * STREAM_PATIENCE;
    this.#copy.trim(countMax, isPatient ? needed : Number.MAX_SAFE_INTEGER);
  }

  /** This node stops: the disk is told everything that only memory knows. */
  rest(): void {
    this.#copy.catchUp();
    if (this.#copy.isDirty) this.#copy.flush();
  }

  /** What the coordinator is told; undefined where this node is not the primary. */
  report(): ShardReport | undefined {
    const { primary, shard } = this;
    if (primary === undefined) return undefined;
    const { entries } = this.#context;
    const { nodes } = primary;
    const copy = this.#copy;
    return {
      shard,
      epoch: primary.epoch,
      active: primary.isActive,
      promised: nodes.filter((node) => primary.hasPromised(node)),
      caughtUp: nodes.filter((node) => primary.isCaughtUp(node)),
      entries: entries.count(shard, copy.slot),
      bytes: entries.bytes(shard, copy.slot),
    };
  }

  /** Whether a report says something that it did not at the last call: sizes apart. */
  takeNews(): boolean {
    return this.primary?.takeNews() === true;
  }

  /** Whether a report that was told says all that `report` would say, sizes apart. */
  isReported(told: ShardReport): boolean {
    const { primary } = this;
    if (primary?.epoch !== told.epoch || primary.isActive !== told.active) return false;
    for (const node of primary.nodes) {
      if (primary.hasPromised(node) !== told.promised.includes(node)) return false;
      if (primary.isCaughtUp(node) !== told.caughtUp.includes(node)) return false;
    }
    return true;
  }

  onStreamLost(): void {
    this.#primary?.activation.streamEnded();
  }

  /** @returns whether this node is to speak to `peer` about the shard, as its primary. */
  reset(peer: NodeId): boolean {
    this.streams.reset(peer);
    const { primary } = this;
    if (primary === undefined) return false;
    const { replicas, next } = primary.config;
    if (!replicas.includes(peer) && !next.includes(peer)) return false;
    primary.reset(peer);
    return true;
  }

  /**
   * Alone and with nothing under way: the end of a step would find nothing to do, no report could
   * say anything new, and nothing wants to be woken.
   */
  get isAtRest(): boolean {
    if (this.#primary?.isAtRest !== true || !this.serving.isAtRest) return false;
    if (!this.streams.isIdle || !this.mending.isIdle) return false;
    return this.#fadingAway.isAtRest && this.orphans.isAtRest;
  }

  /** The end of a step that did something with this shard. */
  finish(): void {
    this.primary?.finish();
    this.serving.reads.advance();
    this.streams.advance();
    this.#fadingAway.advance();
    this.orphans.advance();
  }

  get wakeAt(): Instant | undefined {
    const serving = earliest(this.primary?.wakeAt, this.serving.quorumReads.wakeAt);
    const fetching = earliest(this.streams.wakeAt, this.mending.wakeAt);
    const keeping = earliest(this.#fadingAway.wakeAt, this.orphans.wakeAt);
    return earliest(serving, earliest(fetching, keeping));
  }

  wake(now: Instant): void {
    if (isDue(this.primary?.wakeAt, now)) this.primary?.wake(now);
    if (isDue(this.serving.quorumReads.wakeAt, now)) this.serving.quorumReads.wake(now);
    if (isDue(this.streams.wakeAt, now)) this.streams.wake(now);
    if (isDue(this.mending.wakeAt, now)) this.mending.wake(now);
    this.#fadingAway.wake(now);
    this.orphans.wake(now);
  }

  status(): ShardStatus {
    const { shard, promised } = this;
    const copy = this.#copy;
    return {
      shard,
      config: this.#config,
      promised,
      role: this.#role(),
      active: this.primary?.isActive === true,
      complete: this.isComplete,
      slot: copy.slot,
      last: copy.log.last,
      commit: copy.commit,
      applied: copy.applied.index,
      entries: this.#context.entries.count(shard, copy.slot),
    };
  }

  /** Counts this copy. */
  addTo(totals: { -readonly [Name in keyof ShardTotals]: number }): void {
    const role = this.#role();
    const active = this.primary?.isActive === true;
    if (role === 'primary') totals[active ? 'active' : 'inactive'] += 1;
    if (role === 'replica') totals.replicas += 1;
    if (role !== 'none' && !this.isComplete) totals.incomplete += 1;
    totals.entries += this.#context.entries.count(this.shard, this.#copy.slot);
  }

  #role(): ShardStatus['role'] {
    if (!this.isHeld) return 'none';
    return this.#config?.primary === this.#context.self ? 'primary' : 'replica';
  }

  #lead(config: ShardConfig): void {
    this.#fence(config.epoch);
    this.#context.dots.prepare();
    // Whatever was missing here is fetched by the activation now, from whoever has most.
    this.streams.abandon();
    const primary = new Primary(this.#context, config, this);
    this.#primary = primary;
    this.promise.whenDurable(config.epoch, () => {
      if (this.#primary === primary) primary.ownPromised();
    });
    primary.activation.ask();
  }

  #endPrimary(): void {
    if (this.#primary === undefined || this.#primary.isFenced) return;
    const { strongReads } = this.#primary;
    this.#primary.fenced();
    for (const waiting of strongReads.drain()) waiting.redirect(undefined);
    this.serving.stepDown();
  }

  /** Accepts nothing older than `epoch`; ends what this node was in an older one. */
  #fence(epoch: ShardEpoch): void {
    if (epoch <= this.promised) return;
    if (this.promised > 0) {
      this.#context.outbox.event({ name: 'shard.fenced', shard: this.shard, epoch });
    }
    this.following.noteTold();
    // Before anybody is told: whoever else gets the shard does so with this promise.
    this.#copy.catchUp();
    this.promise.promise(epoch);
    if (this.#primary !== undefined && this.#primary.epoch < epoch) this.#endPrimary();
  }

  #refuses(from: NodeId, epoch: ShardEpoch): boolean {
    if (epoch >= this.promised || broken('shards.reject-lower-epoch')) return false;
    this.#context.outbox.nack(from, this.shard, this.promised);
    return true;
  }

  /** A new primary, or a stream's target, asks for what follows a position. */
  #onPull(from: NodeId, { epoch, after, pull }: LogPull): void {
    if (this.#refuses(from, epoch)) return;
    const { log, commit } = this.#copy;
    const { shard } = this;
    const gone = after.index < log.base.index || log.epochAt(after.index) !== after.epoch;
    const records = gone ? [] : log.after(after.index, LIMITS.recordsMax, SUFFIX_BYTES);
    const more = !gone && after.index + records.length < log.lastIndex;
    const previous = gone ? log.base : after;
    this.#context.outbox.send(from, {
      type: 'logSuffix',
      shard,
      epoch,
      pull,
      previous,
      records,
      commit,
      gone,
      more,
    });
  }

  #onSuffix(from: NodeId, suffix: LogSuffix): void {
    if (this.#refuses(from, suffix.epoch)) return;
    // A replica that was away hears of the epoch like this when its log is too short for records.
    this.#fence(suffix.epoch);
    if (this.streams.onSuffix(from, suffix)) return;
    if (suffix.pull > 0) this.primary?.suffix(from, suffix);
    else if (suffix.gone) this.streams.begin(from);
  }
}
