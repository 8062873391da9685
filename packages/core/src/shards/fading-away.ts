import type { ShardId, ShardPosition } from '@memgrid/protocol';
import { after, type Instant } from '../machine.ts';
import type { Primary } from './primary.ts';
import type { ShardContext } from './shard-context.ts';
import type { ShardCopy } from './shard-copy.ts';
import { ORIGIN } from './shard-log.ts';

export interface FadingOwner {
  readonly shard: ShardId;
  readonly copy: ShardCopy;
  readonly primary: Primary | undefined;
}

/** Expired entries removed in one go; the rest follows at the next look. */
const REMOVED_AT_ONCE = 256;
const LOOK_MS_MIN = 20;
const LOOK_MS_MAX = 60_000;

/**
 * Removes what nobody can see any more: entries that expired, by every replica for itself, and
 * tombstones, by a record of the log that the primary writes once no replica could bring the
 * deleted entry back. See DESIGN.md, F18 and F19.
 */
export class FadingAway {
  readonly #context: ShardContext;
  readonly #owner: FadingOwner;
  #lookAt: Instant | undefined;
  /** In one epoch: a later primary may have cut off what this node proposed in an earlier one. */
  #proposed: ShardPosition = ORIGIN;

  constructor(context: ShardContext, owner: FadingOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /** There is nothing to look at, and no look is planned. */
  get isAtRest(): boolean {
    return this.#lookAt === undefined && this.#owner.copy.fading.count === 0;
  }

  /** Plans the next look, where there is anything to look at. */
  advance(): void {
    if (this.#owner.copy.fading.count > 0) this.#lookAt ??= after(this.#context.now, this.#lookMs);
    else this.#lookAt = undefined;
  }

  get wakeAt(): Instant | undefined {
    return this.#lookAt;
  }

  wake(now: Instant): void {
    if (this.#lookAt === undefined || this.#lookAt > now) return;
    this.#lookAt = undefined;
    const { copy } = this.#owner;
    const oldMs = this.#context.nowMs - this.#context.config.collectAfterMs;
    for (const key of copy.fading.expiredBefore(oldMs, REMOVED_AT_ONCE)) copy.remove(key);
    this.#collect(oldMs);
  }

  get #lookMs(): number {
    const quarter = this.#context.config.collectAfterMs / 4;
    return Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, quarter));
  }

  #collect(oldMs: number): void {
    const { primary, copy } = this.#owner;
    if (primary?.isActive !== true || primary.config.stage !== 'stable') return;
    const upTo = Math.min(copy.fading.collectableUpTo(oldMs), primary.replication.appliedByAll);
    const { epoch } = primary;
    if (this.#proposed.epoch === epoch && upTo <= this.#proposed.index) return;
    if (copy.fading.tombstonesUpTo(upTo).length === 0) return;
    this.#proposed = { epoch, index: upTo };
    primary.append({ kind: 'collect', upTo, timestamp: { ms: oldMs, counter: 0 } }, 'disk');
  }
}
