import type { ShardId } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import { batch } from './decision.ts';
import { PLANNER } from './planner-config.ts';
import type { PlannerEvent, StuckReason } from './planner-io.ts';

/** Tells of shards that the planner cannot help, when they become more and once a minute. */
export class StuckNotice {
  readonly #told = new Map<StuckReason, { readonly count: number; readonly at: Instant }>();

  forget(): void {
    this.#told.clear();
  }

  events(
    now: Instant,
    stuck: ReadonlyMap<StuckReason, readonly ShardId[]>,
  ): readonly PlannerEvent[] {
    for (const reason of [...this.#told.keys()]) if (!stuck.has(reason)) this.#told.delete(reason);
    const events: PlannerEvent[] = [];
    for (const [reason, shards] of stuck) {
      const told = this.#told.get(reason);
      const known = told !== undefined && shards.length <= told.count;
      if (known && now - told.at < PLANNER.stuckEveryMs) continue;
      this.#told.set(reason, { count: shards.length, at: now });
      events.push({ name: 'shard.stuck', reason, ...batch(shards) });
    }
    return events;
  }
}
