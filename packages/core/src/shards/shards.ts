import type { Answer, NodeId, Operation, ShardId } from '@memgrid/protocol';
import { unreachable } from '../assert.ts';
import { DueQueue } from '../due-queue.ts';
import { after, earliest, type Instant, isDue, type Machine } from '../machine.ts';
import type { OrphanRequest } from './orphans-io.ts';
import { answerOrphans } from './parked-orphans.ts';
import { changesAfter } from './changes-after.ts';
import { FLUSH_MS, FlushGroups } from './flush-groups.ts';
import { ShardContext } from './shard-context.ts';
import { recoverShards } from './shard-records.ts';
import { ShardReplica } from './shard-replica.ts';
import { type ReportSource, ShardReports } from './shard-reports.ts';
import type {
  AppliedChange,
  LocalOperation,
  ShardMessage,
  ShardsEffect,
  ShardsInput,
  ShardsOptions,
  ShardStatus,
  ShardTotals,
  OperationToken,
} from './shards-io.ts';
import { WaitingOperation } from './waiting-operation.ts';
import { isWrite } from './write-rules.ts';

/** Outcomes that are too old are looked for this often at most. */
const AGING_MS = 1_000;

/**
 * All shards that one node holds, as one machine: a replicated log for each, whose primary the
 * control group names for each epoch. See DESIGN.md.
 *
 * Whatever a step does with however many shards, it writes one batch, and sends each peer one
 * message of a kind.
 */
export class Shards implements Machine<ShardsInput, ShardsEffect> {
  readonly #context: ShardContext;
  readonly #shards = new Map<ShardId, ShardReplica>();
  readonly #due = new DueQueue<ShardReplica>();
  readonly #reports: ShardReports;
  readonly #reported: ReportSource = {
    report: (id) => this.#shards.get(id)?.report(),
    isReported: (id, told) => this.#shards.get(id)?.isReported(told) === true,
  };
  /** Of this step. */
  #unanswered: WaitingOperation[] = [];
  readonly #flushes = new FlushGroups();
  /** When the logs may be cut in half again. */
  #spareAt = 0 as Instant;
  #agingAt: Instant | undefined;

  constructor(options: ShardsOptions) {
    this.#context = new ShardContext(options);
    this.#reports = new ShardReports(this.#context);
    for (const recovered of recoverShards(options.records)) {
      const { shard } = recovered;
      this.#shards.set(shard, new ShardReplica(this.#context, shard, recovered));
    }
    const { operations, now } = this.#context;
    if (operations.oldestMs !== undefined) this.#agingAt = after(now, AGING_MS);
  }

  step(now: Instant, input: ShardsInput): readonly ShardsEffect[] {
    this.#context.begin(now);
    this.#take(input);
    return this.#finish();
  }

  wake(now: Instant): readonly ShardsEffect[] {
    const context = this.#context;
    context.begin(now);
    for (let late = context.deadlines.take(now); late; late = context.deadlines.take(now)) {
      late.expire();
    }
    for (let shard = this.#due.take(now); shard; shard = this.#due.take(now)) {
      shard.wake(now);
      context.touched.add(shard.shard);
    }
    if (isDue(this.#agingAt, now)) this.#age();
    this.#flush(now);
    this.#reports.wake(now, this.#reported);
    return this.#finish();
  }

  /** This node stops: what waits in memory for the disk is handed to it. */
  rest(now: Instant): readonly ShardsEffect[] {
    this.#context.begin(now);
    for (const shard of this.#shards.values()) shard.rest();
    return this.#finish();
  }

  get wakeAt(): Instant | undefined {
    const { deadlines } = this.#context;
    const first = earliest(this.#due.earliest, deadlines.earliest);
    const keeping = earliest(this.#flushes.wakeAt, this.#agingAt);
    return earliest(first, earliest(keeping, this.#reports.wakeAt));
  }

  /** How far the log of a shard is applied here; undefined when this node holds no whole copy. */
  appliedIndex(shard: ShardId): number | undefined {
    const found = this.#shards.get(shard)?.status();
    return found?.complete === true && found.role !== 'none' ? found.applied : undefined;
  }

  /**
   * The latest `countMax` changes that took effect after `index`, in order and without a hole; those
   * that the log does not reach back to are missing at the front.
   */
  changesAfter(shard: ShardId, index: number, countMax: number): readonly AppliedChange[] {
    const replica = this.#shards.get(shard);
    if (replica === undefined || this.appliedIndex(shard) === undefined) return [];
    return changesAfter(replica.copy, index, countMax);
  }

  /**
   * The answer to a read that can be given at once, because nothing has to be waited for; undefined
   * for everything else, which is to be handed in. Changes nothing.
   */
  answerAtOnce(now: Instant, operation: Operation): Answer | undefined {
    const shard = this.#shards.get(operation.shard);
    if (shard === undefined) return undefined;
    this.#context.begin(now);
    return shard.serving.answerAtOnce(operation);
  }

  /** Bytes of all records in memory. */
  get logBytes(): number {
    return this.#context.logBytes;
  }

  /** Bytes of all remembered operations in memory. */
  get operationBytes(): number {
    return this.#context.operations.bytes;
  }

  status(): ShardStatus[] {
    return [...this.#shards.values()]
      .filter((shard) => shard.isHeld || shard.promised > 0 || shard.copy.log.lastIndex > 0)
      .sort((a, b) => a.shard - b.shard)
      .map((shard) => shard.status());
  }

  /** The same in five numbers, without a list of a thousand shards. */
  totals(): ShardTotals {
    const totals = { active: 0, inactive: 0, replicas: 0, incomplete: 0, entries: 0 };
    for (const shard of this.#shards.values()) shard.addTo(totals);
    return totals;
  }

  #take(input: ShardsInput): void {
    switch (input.kind) {
      case 'configs':
        for (const config of input.configs) this.#touch(config.shard).configure(config);
        return;
      case 'message':
        this.#message(input.from, input.body);
        return;
      case 'operations':
        for (const local of input.operations) this.#operate(local);
        return;
      case 'stored':
        this.#context.storage.stored(input.ticket);
        return;
      case 'loaded':
        this.#context.loads.loaded(input.ticket, input.result);
        return;
      case 'damaged': {
        const shard = this.#touch(input.shard);
        if (shard.copy.slot === input.slot) shard.mending.quarantine(input.key, input.problem);
        return;
      }
      case 'orphans':
        this.#orphans(input.token, input.ask);
        return;
      case 'alive':
        this.#alive(input.nodes);
        return;
      case 'peerReset':
        this.#reset(input.peer);
        return;
      default:
        unreachable(input);
    }
  }

  #shardOf(id: ShardId): ShardReplica {
    let shard = this.#shards.get(id);
    if (shard === undefined) {
      shard = new ShardReplica(this.#context, id);
      this.#shards.set(id, shard);
    }
    return shard;
  }

  #touch(id: ShardId): ShardReplica {
    this.#context.touched.add(id);
    return this.#shardOf(id);
  }

  #operate(local: LocalOperation): void {
    const { operation } = local;
    const shard = this.#shardOf(operation.shard);
    const { serving } = shard;
    const waiting = new WaitingOperation(this.#context, local, serving.load);
    serving.admit(waiting);
    if (!waiting.isAnswered) this.#unanswered.push(waiting);
    // A read that is answered has changed nothing, and a write nothing that is not done already.
    else if (!isWrite(operation.body) || shard.isAtRest) return;
    this.#context.touched.add(operation.shard);
  }

  #message(from: NodeId, body: ShardMessage): void {
    switch (body.type) {
      case 'replicate':
        for (const item of body.shards) this.#touch(item.shard).onReplicate(from, item);
        return;
      case 'replicateAck':
        for (const item of body.shards) this.#shardOf(item.shard).onReplicateAck(from, item);
        return;
      case 'promise':
        for (const { shard, epoch } of body.shards) this.#touch(shard).onPromise(from, epoch);
        return;
      case 'promiseAck':
        for (const item of body.shards) this.#touch(item.shard).onPromiseAck(from, item);
        return;
      case 'shardNack':
        for (const { shard, current } of body.shards) this.#touch(shard).onNack(current);
        return;
      case 'epochPing':
        this.#pinged(from, body.round, body.shards);
        return;
      case 'epochPong':
        for (const shard of body.shards) this.#touch(shard).onPong(from, body.round);
        return;
      default:
        this.#touch(body.shard).onMessage(from, body);
    }
  }

  #pinged(
    from: NodeId,
    round: number,
    asked: readonly { readonly shard: ShardId; readonly epoch: number }[],
  ): void {
    const { outbox } = this.#context;
    const shards: ShardId[] = [];
    for (const { shard, epoch } of asked) {
      const promised = this.#shards.get(shard)?.promised ?? 0;
      if (promised <= epoch) shards.push(shard);
      else outbox.nack(from, shard, promised);
    }
    if (shards.length > 0) outbox.send(from, { type: 'epochPong', round, shards });
  }

  #orphans(token: OperationToken, ask: OrphanRequest): void {
    const shards = [...this.#shards.values()].sort((a, b) => a.shard - b.shard);
    answerOrphans(
      shards.map(({ orphans }) => orphans.parked),
      ask,
      (reply) => this.#context.outbox.other({ kind: 'orphans', token, reply }),
    );
  }

  #alive(nodes: ReadonlySet<NodeId>): void {
    const before = this.#context.alive;
    // Gossip repeats itself every second.
    if (before.size === nodes.size && [...nodes].every((node) => before.has(node))) return;
    for (const shard of this.#shards.values()) shard.following.noteTold();
    this.#context.alive = nodes;
    for (const shard of this.#shards.values()) shard.following.noteAlive();
    for (const node of nodes) if (!before.has(node) && before.size > 0) this.#reset(node);
  }

  #reset(peer: NodeId): void {
    for (const shard of this.#shards.values()) {
      if (shard.reset(peer)) this.#context.touched.add(shard.shard);
    }
  }

  #flush(now: Instant): void {
    const { config, logBytes, unflushed } = this.#context;
    const { logRecordsMax, logBytesMax } = config;
    const due = this.#flushes.take(now, unflushed);
    if (due.length === 0) return;
    // Under pressure everybody gives up half of what could be spared, idle or not, once a period.
    const isFull = logBytes > logBytesMax && now >= this.#spareAt;
    if (isFull) this.#spareAt = after(now, FLUSH_MS);
    for (const id of isFull ? this.#shards.keys() : due) {
      const shard = this.#shards.get(id) as ShardReplica;
      const countMax = isFull ? Math.floor(shard.copy.log.count / 2) : logRecordsMax;
      shard.trim(Math.min(countMax, logRecordsMax));
      if (shard.copy.isDirty) shard.copy.flush();
      if (shard.streams.incoming?.isDirty === true) shard.streams.incoming.flush();
    }
  }

  /** Operations are forgotten by age also where nobody writes any more. */
  #age(): void {
    const { now, wallMs, operations, config } = this.#context;
    operations.forgetUpTo(wallMs - config.operationWindowMs);
    const { oldestMs } = operations;
    const restMs =
      oldestMs === undefined ? undefined : oldestMs + config.operationWindowMs - wallMs;
    this.#agingAt = restMs === undefined ? undefined : after(now, Math.max(AGING_MS, restMs));
  }

  /** Everything that has become possible, then all effects: the batch first. */
  #finish(): readonly ShardsEffect[] {
    const { touched, outbox, storage, unflushed, operations, config, now } = this.#context;
    while (touched.size > 0) {
      const ids = [...touched];
      touched.clear();
      for (const id of ids) {
        const shard = this.#shards.get(id) as ShardReplica;
        shard.finish();
        this.#schedule(shard);
        if (shard.takeNews()) this.#reports.touched(id);
      }
    }
    // Most are answered by now: a queue by deadlines is for those that are not.
    for (const waiting of this.#unanswered) waiting.outlast();
    if (this.#unanswered.length > 0) this.#unanswered = [];
    this.#flushes.plan(now, unflushed);
    // When the first one comes, none is older.
    if (operations.oldestMs !== undefined) this.#agingAt ??= after(now, config.operationWindowMs);
    const batch = storage.take();
    const effects = outbox.drain();
    if (batch !== undefined) effects.unshift(batch);
    return effects;
  }

  #schedule(shard: ShardReplica): void {
    const { wakeAt } = shard;
    // One look too many costs less than a moment that is moved with every write.
    if (wakeAt !== undefined && wakeAt < shard.dueAt) this.#due.add(wakeAt, shard);
  }
}
