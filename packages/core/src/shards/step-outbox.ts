import type {
  Answer,
  DataMessage,
  NodeId,
  ReplicateShard,
  ReplicateShardAck,
  ShardEpoch,
  ShardId,
  ShardPromise,
} from '@memgrid/protocol';
import { LIMITS } from '@memgrid/protocol';
import type { AppliedChange, OperationToken, ShardEvent, ShardsEffect } from './shards-io.ts';

interface Parcels {
  readonly replicate: ReplicateShard[];
  readonly replicateAck: ReplicateShardAck[];
  readonly promise: { readonly shard: ShardId; readonly epoch: ShardEpoch }[];
  readonly promiseAck: ShardPromise[];
  readonly shardNack: { readonly shard: ShardId; readonly current: ShardEpoch }[];
  readonly pings: { readonly shard: ShardId; readonly epoch: ShardEpoch }[];
}

/** Acknowledgements among which an earlier one of the same shard is looked for. */
const LOOKED_THROUGH_MAX = 64;

/** Records of one message: well below what one frame may hold. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/**
 * What one step wants done. Messages to one peer about different shards become one message of each
 * kind, however many shards take part.
 */
export class StepOutbox {
  /** New with each step: a map that is cleared would keep what it held, see `gateway-outbox.ts`. */
  #parcels = new Map<NodeId, Parcels>();
  #singles: ShardsEffect[] = [];
  #answers: ShardsEffect[] = [];
  #changes: AppliedChange[] = [];
  #round: number;

  /** @param round above every round of an earlier life: its answers may still be under way. */
  constructor(round: number) {
    this.#round = round;
  }

  /** Numbers the pings of this step; later steps have higher numbers. */
  get round(): number {
    return this.#round + 1;
  }

  replicate(to: NodeId, item: ReplicateShard): void {
    this.#parcelsFor(to).replicate.push(item);
  }

  replicateAck(to: NodeId, item: ReplicateShardAck): void {
    const { replicateAck } = this.#parcelsFor(to);
    // Acknowledgements are cumulative: within one step the last one about a shard says it all. To
    // look for an earlier one among many would cost more than to say it twice.
    if (replicateAck.length < LOOKED_THROUGH_MAX) {
      const before = replicateAck.findLastIndex(({ shard }) => shard === item.shard);
      if (before >= 0) replicateAck.splice(before, 1);
    }
    replicateAck.push(item);
  }

  promise(to: NodeId, shard: ShardId, epoch: ShardEpoch): void {
    this.#parcelsFor(to).promise.push({ shard, epoch });
  }

  promiseAck(to: NodeId, item: ShardPromise): void {
    this.#parcelsFor(to).promiseAck.push(item);
  }

  nack(to: NodeId, shard: ShardId, current: ShardEpoch): void {
    this.#parcelsFor(to).shardNack.push({ shard, current });
  }

  ping(to: NodeId, shard: ShardId, epoch: ShardEpoch): void {
    this.#parcelsFor(to).pings.push({ shard, epoch });
  }

  send(
    to: NodeId,
    body: Exclude<DataMessage, { type: 'operations' | 'answers' | 'shardReports' }>,
  ): void {
    this.#singles.push({ kind: 'send', to, body });
  }

  answer(token: OperationToken, answer: Answer): void {
    this.#answers.push({ kind: 'answer', token, answer });
  }

  applied(change: AppliedChange): void {
    this.#changes.push(change);
  }

  event(event: ShardEvent): void {
    this.#singles.push({ kind: 'event', event });
  }

  other(effect: ShardsEffect): void {
    this.#singles.push(effect);
  }

  /** Everything since the last call: messages, then changes, then answers. */
  drain(): ShardsEffect[] {
    const effects: ShardsEffect[] = [];
    let pinged = false;
    for (const [to, parcels] of this.#parcels) {
      for (const body of bodiesOf(parcels, this.round)) effects.push({ kind: 'send', to, body });
      pinged ||= parcels.pings.length > 0;
    }
    if (this.#parcels.size > 0) this.#parcels = new Map();
    if (pinged) this.#round += 1;
    effects.push(...this.#singles);
    this.#singles = [];
    if (this.#changes.length > 0) effects.push({ kind: 'applied', changes: this.#changes });
    this.#changes = [];
    effects.push(...this.#answers);
    this.#answers = [];
    return effects;
  }

  #parcelsFor(to: NodeId): Parcels {
    let parcels = this.#parcels.get(to);
    if (parcels === undefined) {
      parcels = {
        replicate: [],
        replicateAck: [],
        promise: [],
        promiseAck: [],
        shardNack: [],
        pings: [],
      };
      this.#parcels.set(to, parcels);
    }
    return parcels;
  }
}

type ParcelBody = Extract<ShardsEffect, { kind: 'send' }>['body'];

function bodiesOf(parcels: Parcels, round: number): ParcelBody[] {
  const bodies: ParcelBody[] = [];
  const { promise, promiseAck, shardNack, replicateAck, pings } = parcels;
  // Fences first: what follows in the same step may rely on them.
  if (promise.length > 0) bodies.push({ type: 'promise', shards: promise });
  if (promiseAck.length > 0) bodies.push({ type: 'promiseAck', shards: promiseAck });
  if (shardNack.length > 0) bodies.push({ type: 'shardNack', shards: shardNack });
  for (const shards of chunked(parcels.replicate)) bodies.push({ type: 'replicate', shards });
  if (replicateAck.length > 0) bodies.push({ type: 'replicateAck', shards: replicateAck });
  if (pings.length > 0) bodies.push({ type: 'epochPing', round, shards: pings });
  return bodies;
}

function chunked(items: readonly ReplicateShard[]): ReplicateShard[][] {
  const chunks: ReplicateShard[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = item.records.reduce((sum, { body }) => sum + body.byteLength + 16, 64);
    const chunk = chunks.at(-1);
    const fits = bytes + size <= MESSAGE_BYTES_MAX && (chunk?.length ?? 0) < LIMITS.shardsMax;
    if (chunk !== undefined && fits) {
      chunk.push(item);
      bytes += size;
    } else {
      chunks.push([item]);
      bytes = size;
    }
  }
  return chunks;
}
