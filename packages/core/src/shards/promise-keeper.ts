import type { ShardEpoch, ShardId } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { ShardContext } from './shard-context.ts';
import { encodeMeta, metaKey } from './shard-records.ts';

interface Waiting {
  readonly epoch: ShardEpoch;
  readonly run: () => void;
}

/**
 * The oldest epoch that this replica still listens to, in memory and on disk.
 *
 * It takes effect at once and is told to nobody before it is durable: a replica that forgot a
 * promise could acknowledge to a primary that has been replaced. See DESIGN.md, F1 and F2.
 */
export class PromiseKeeper {
  readonly #context: ShardContext;
  readonly #shard: ShardId;
  #promised: ShardEpoch;
  #durable: ShardEpoch;
  #slot: number;
  #waiting: Waiting[] = [];

  constructor(context: ShardContext, shard: ShardId, meta: { promised: ShardEpoch; slot: number }) {
    this.#context = context;
    this.#shard = shard;
    this.#promised = meta.promised;
    this.#durable = meta.promised;
    this.#slot = meta.slot;
  }

  get epoch(): ShardEpoch {
    return this.#promised;
  }

  get slot(): number {
    return this.#slot;
  }

  /** Accepts nothing older than `epoch` from now on. Never lowers. */
  promise(epoch: ShardEpoch): void {
    if (epoch <= this.#promised) return;
    this.#promised = epoch;
    if (broken('shards.persist-promise')) this.#kept(epoch);
    else this.#write();
  }

  /** Runs `then` once `epoch` is durable; never if a later one overtakes it. */
  whenDurable(epoch: ShardEpoch, then: () => void): void {
    if (this.#durable >= epoch) then();
    else this.#waiting.push({ epoch, run: then });
  }

  /** Names another slot as the one that counts. Part of this step's batch, which is synced. */
  flipTo(slot: number, then: () => void): void {
    this.#slot = slot;
    this.#write(then);
  }

  #write(then?: () => void): void {
    const promised = this.#promised;
    const value = encodeMeta({ promised, slot: this.#slot });
    this.#context.storage.write([{ kind: 'put', key: metaKey(this.#shard), value }], true, () => {
      this.#kept(promised);
      then?.();
    });
  }

  #kept(epoch: ShardEpoch): void {
    this.#durable = Math.max(this.#durable, epoch);
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((other) => other.epoch > this.#durable);
    this.#context.touched.add(this.#shard);
    for (const { epoch: wanted, run } of waiting) if (wanted <= this.#durable) run();
  }
}
