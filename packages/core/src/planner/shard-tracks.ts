import type { ShardConfig, ShardEpoch, ShardId } from '@memgrid/protocol';
import { after, type Instant } from '../machine.ts';
import type { Decision } from './decision.ts';
import { PLANNER } from './planner-config.ts';

interface Track {
  epoch: ShardEpoch;
  /** When this planner saw the epoch first. */
  since: Instant;
  /** A change that was proposed and is not seen yet. */
  proposed: { readonly config: ShardConfig; readonly until: Instant } | undefined;
}

interface Failure {
  readonly count: number;
  readonly retryAt: Instant;
}

/** What the coordinator remembers of each shard between rounds. Nothing of it is needed to be safe. */
export class ShardTracks {
  readonly #tracks = new Map<ShardId, Track>();
  readonly #failures = new Map<ShardId, Failure>();

  forget(): void {
    this.#tracks.clear();
    this.#failures.clear();
  }

  observe(now: Instant, configs: readonly ShardConfig[]): void {
    for (const { epoch, shard } of configs) {
      const track = this.#tracks.get(shard);
      if (track === undefined) this.#tracks.set(shard, { epoch, since: now, proposed: undefined });
      else if (track.epoch !== epoch) {
        track.epoch = epoch;
        track.since = now;
        if (track.proposed !== undefined && track.proposed.config.epoch <= epoch) {
          track.proposed = undefined;
        }
      }
    }
  }

  /** Since when the present epoch is the shard's, as far as this planner saw. */
  since(shard: ShardId): Instant {
    return this.#tracks.get(shard)?.since ?? (0 as Instant);
  }

  /** What the shard is about to be; undefined when nothing is under way. */
  underWay(now: Instant, shard: ShardId): ShardConfig | undefined {
    const proposed = this.#tracks.get(shard)?.proposed;
    return proposed !== undefined && now < proposed.until ? proposed.config : undefined;
  }

  proposed(now: Instant, { cause, config }: Decision): void {
    const track = this.#tracks.get(config.shard);
    const until = after(now, PLANNER.proposalMs);
    if (track !== undefined) track.proposed = { config, until };
    if (cause.name === 'move.finished') this.#failures.delete(config.shard);
    if (cause.name === 'move.rolledBack' && cause.reason !== 'targetChanged') {
      this.#failed(now, config.shard);
    }
  }

  /** A move that was given up is not begun again at once. */
  mayMove(now: Instant, shard: ShardId): boolean {
    const failure = this.#failures.get(shard);
    return failure === undefined || failure.retryAt <= now;
  }

  #failed(now: Instant, shard: ShardId): void {
    const count = (this.#failures.get(shard)?.count ?? 0) + 1;
    const wait = Math.min(PLANNER.retryMs * 2 ** (count - 1), PLANNER.retryMsMax);
    this.#failures.set(shard, { count, retryAt: after(now, wait) });
  }
}
