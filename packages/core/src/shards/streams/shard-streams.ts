import type {
  LogSuffix,
  NodeId,
  ShardConfig,
  ShardEpoch,
  ShardId,
  StreamAck,
  StreamChunk,
  StreamOpen,
  StreamRefused,
} from '@memgrid/protocol';
import { broken } from '#breaks';
import { entryKey } from '../../entries/entry-keys.ts';
import { earliest, type Instant } from '../../machine.ts';
import type { StoreOperation } from '../../store-operation.ts';
import type { Following } from '../following.ts';
import type { Mending } from '../mending.ts';
import type { PromiseKeeper } from '../promise-keeper.ts';
import { everyReplica } from '../quorum-rule.ts';
import type { ShardContext } from '../shard-context.ts';
import type { CopyOwner, ShardCopy } from '../shard-copy.ts';
import type { ShardMessage } from '../shards-io.ts';
import { StreamSource } from './stream-source.ts';
import { StreamTarget } from './stream-target.ts';

export interface StreamsOwner extends CopyOwner {
  readonly shard: ShardId;
  readonly promise: PromiseKeeper;
  readonly promised: ShardEpoch;
  readonly config: ShardConfig | undefined;
  readonly copy: ShardCopy;
  readonly following: Following;
  readonly isComplete: boolean;
  readonly isHeld: boolean;
  readonly mending: Mending;
  /** The batch of this step will replace the copy that counts. */
  onReplacing(): void;
  /** This copy is whole and counts from now on. */
  install(copy: ShardCopy): void;
  /** The stream came to nothing. */
  onStreamLost(): void;
}

/** The streams of one shard: at most one that fills this replica, and those that it feeds. */
export class ShardStreams {
  readonly #context: ShardContext;
  readonly #owner: StreamsOwner;
  #target: StreamTarget | undefined;
  #flipping = false;
  #sources: StreamSource[] = [];
  /** Keys in the other slot that an unfinished stream left behind. */
  #leftovers: readonly string[];

  constructor(context: ShardContext, owner: StreamsOwner, leftovers: readonly string[]) {
    this.#context = context;
    this.#owner = owner;
    this.#leftovers = leftovers;
  }

  /** The copy that a stream fills. */
  get incoming(): ShardCopy | undefined {
    return this.#target?.copy;
  }

  /** Records after this index are still needed by a target. */
  get neededAfter(): number | undefined {
    let needed: number | undefined;
    for (const { base } of this.#sources) needed = Math.min(needed ?? base.index, base.index);
    return needed;
  }

  /** Takes the whole shard from `source`, unless a stream is under way already. */
  begin(source: NodeId): void {
    if (this.#target !== undefined || source === this.#context.self) return;
    const { shard, promised, config, copy } = this.#owner;
    const slot = 1 - copy.slot;
    if (!broken('shards.joiner-starts-empty')) this.#empty(slot);
    this.#target = new StreamTarget(this.#context, {
      shard,
      number: this.#context.nextNumber(),
      source,
      slot,
      epoch: promised,
      session: config?.session ?? 0,
      owner: this.#owner,
    });
  }

  configured(config: ShardConfig): void {
    const nodes = everyReplica(config);
    for (const source of this.#sources) if (!nodes.includes(source.to)) this.#close(source);
    const target = this.#target;
    if (target === undefined || this.#flipping) return;
    const isStale =
      target.options.session !== config.session && !config.replicas.includes(this.#context.self);
    if (isStale || !this.#owner.isHeld || !nodes.includes(target.options.source)) this.abandon();
  }

  onMessage(from: NodeId, body: ShardMessage): void {
    if (body.type === 'streamOpen') this.#onOpen(from, body);
    else if (body.type === 'streamChunk') this.#onChunk(from, body);
    else if (body.type === 'streamAck') this.#onAck(from, body);
    else if (body.type === 'streamRefused') this.#onRefused(from, body);
  }

  /** @returns whether the suffix belongs to a stream. */
  onSuffix(from: NodeId, suffix: LogSuffix): boolean {
    return this.#target?.onSuffix(from, suffix) ?? false;
  }

  /** None is under way. */
  get isIdle(): boolean {
    return this.#target === undefined && this.#sources.length === 0;
  }

  /** Sends what may be sent, and finishes what is whole. */
  advance(): void {
    if (this.isIdle) return;
    for (const source of this.#sources) source.advance();
    this.#dropClosed();
    if (this.#target?.isWhole === true && !this.#flipping) this.#flip(this.#target);
  }

  get wakeAt(): Instant | undefined {
    let wakeAt = this.#flipping ? undefined : this.#target?.wakeAt;
    for (const source of this.#sources) wakeAt = earliest(wakeAt, source.wakeAt);
    return wakeAt;
  }

  wake(now: Instant): void {
    for (const source of this.#sources) source.wake(now);
    this.#dropClosed();
    const target = this.#target;
    if (target === undefined || this.#flipping) return;
    if (target.isLost(now)) this.abandon();
    else target.wake(now);
  }

  reset(peer: NodeId): void {
    for (const source of this.#sources) if (source.to === peer) source.repeat();
  }

  /** Gives everything up: this node holds the shard no longer. */
  stop(): void {
    for (const source of this.#sources) this.#close(source);
    this.abandon();
    this.#empty(1 - this.#owner.copy.slot);
  }

  #onOpen(from: NodeId, open: StreamOpen): void {
    const { shard, epoch, stream } = open;
    if (open.keys.length > 0) {
      if (this.#owner.isHeld) this.#owner.mending.answer(from, open);
      return;
    }
    const known = this.#sources.find((source) => source.to === from);
    if (known?.number === stream) {
      known.repeat();
      return;
    }
    if (known !== undefined) this.#close(known);
    const reason = this.#refusal(epoch);
    if (reason !== undefined) {
      this.#context.outbox.send(from, { type: 'streamRefused', shard, stream, reason });
      return;
    }
    this.#context.throttle.serving += 1;
    const { copy, mending } = this.#owner;
    const source = new StreamSource(this.#context, { shard, to: from, open, copy, mending });
    this.#sources.push(source);
    source.advance();
  }

  #refusal(epoch: ShardEpoch): StreamRefused['reason'] | undefined {
    if (epoch < this.#owner.promised) return 'epoch';
    if (!this.#owner.isComplete || !this.#owner.isHeld) return 'incomplete';
    // Its keys do not even show what is missing.
    if (!this.#owner.mending.isIdle) return 'incomplete';
    return this.#context.throttle.isBusy ? 'busy' : undefined;
  }

  #onChunk(from: NodeId, chunk: StreamChunk): void {
    if (this.#owner.mending.onChunk(chunk)) return;
    const target = this.#target;
    if (target === undefined || this.#flipping) {
      this.#settle(from, chunk);
      return;
    }
    if (!target.onChunk(from, chunk)) return;
    this.#owner.following.announce(from);
  }

  /** Nobody takes this chunk any more: its source need not wait for the end of its patience. */
  #settle(from: NodeId, { shard, stream, chunk }: StreamChunk): void {
    const credit = this.#context.config.streamCredit;
    this.#context.outbox.send(from, { type: 'streamAck', shard, stream, chunk, credit });
  }

  #onAck(from: NodeId, { stream, chunk, credit }: StreamAck): void {
    const source = this.#sources.find(({ to, number }) => to === from && number === stream);
    if (source !== undefined) {
      source.acknowledged(chunk, credit);
      return;
    }
    // A life ago, perhaps: the rest of that stream would not fit to its beginning.
    const { shard } = this.#owner;
    this.#context.outbox.send(from, { type: 'streamRefused', shard, stream, reason: 'closed' });
  }

  #onRefused(from: NodeId, { stream, reason }: StreamRefused): void {
    const target = this.#target;
    if (target === undefined || this.#flipping) return;
    if (target.options.source !== from || target.options.number !== stream) return;
    // It is asked again after a pause; who is not whole itself may be so then, or is given up.
    if (reason === 'busy') target.heard();
    else if (reason !== 'incomplete') this.abandon();
  }

  /** One batch names the other slot, and holds everything of it that is not on disk yet. */
  #flip(target: StreamTarget): void {
    const { copy, entryCount } = target;
    if (copy === undefined) return;
    this.#flipping = true;
    const { shard } = this.#owner;
    const old = this.#owner.copy;
    if (!broken('shards.flip-atomic')) copy.flush();
    this.#owner.onReplacing();
    this.#owner.promise.flipTo(copy.slot, () => {
      this.#flipping = false;
      this.#target = undefined;
      copy.overtaken = undefined;
      // Whoever is fed from the old copy would find it empty, and take that for everything.
      for (const source of this.#sources) this.#close(source);
      old.clear();
      this.#owner.install(copy);
      const { source } = target.options;
      this.#context.outbox.event({
        name: 'shard.streamed',
        shard,
        from: source,
        entries: entryCount,
      });
    });
  }

  /** Gives up the stream that fills this replica, unless it is whole already. */
  abandon(): void {
    const target = this.#target;
    if (target === undefined || this.#flipping) return;
    this.#target = undefined;
    if (!broken('shards.joiner-starts-empty')) target.copy?.clear();
    this.#owner.following.restart();
    this.#owner.onStreamLost();
  }

  #close(source: StreamSource): void {
    source.isClosed = true;
    const { shard } = this.#owner;
    const { to, number: stream } = source;
    this.#context.outbox.send(to, { type: 'streamRefused', shard, stream, reason: 'closed' });
    this.#dropClosed();
  }

  #dropClosed(): void {
    if (this.#sources.length === 0) return;
    const open = this.#sources.filter(({ isClosed }) => !isClosed);
    this.#context.throttle.serving -= this.#sources.length - open.length;
    this.#sources = open;
  }

  /** Removes whatever lies in a slot that does not count. */
  #empty(slot: number): void {
    const { shard } = this.#owner;
    const { entries, storage } = this.#context;
    const operations: StoreOperation[] = this.#leftovers.map((key) => ({ kind: 'delete', key }));
    this.#leftovers = [];
    let page = entries.keys(shard, slot, '', 1024);
    while (page.length > 0) {
      for (const key of page) operations.push({ kind: 'delete', key: entryKey(shard, slot, key) });
      page = entries.keys(shard, slot, page.at(-1) as string, 1024);
    }
    if (operations.length === 0) return;
    entries.clear(shard, slot);
    storage.write(operations, false);
  }
}
