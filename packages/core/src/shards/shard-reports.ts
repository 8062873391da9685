import type { ShardId, ShardReport } from '@memgrid/protocol';
import { after, type Instant } from '../machine.ts';
import type { ShardContext } from './shard-context.ts';

/** Changes are told together, this long after the first of them. */
const GATHER_MS = 50;

/**
 * What the coordinator is told about the shards whose primary this node is: soon when something
 * changed that decides about the next stage, and everything once in a while, because coordinators
 * come and go.
 */
export class ShardReports {
  readonly #context: ShardContext;
  readonly #changed = new Set<ShardId>();
  readonly #told = new Map<ShardId, ShardReport>();
  #gatherAt: Instant | undefined;
  #everythingAt: Instant;

  constructor(context: ShardContext) {
    this.#context = context;
    this.#everythingAt = after(context.now, context.config.reportMs);
  }

  /** Something was done with a shard: its report may be another one now. */
  touched(shard: ShardId): void {
    this.#changed.add(shard);
    this.#gatherAt ??= after(this.#context.now, GATHER_MS);
  }

  get wakeAt(): Instant | undefined {
    if (this.#gatherAt === undefined) return this.#told.size > 0 ? this.#everythingAt : undefined;
    return this.#gatherAt < this.#everythingAt ? this.#gatherAt : this.#everythingAt;
  }

  wake(now: Instant, reportOf: (shard: ShardId) => ShardReport | undefined): void {
    const everything = this.#everythingAt <= now;
    if (!everything && (this.#gatherAt === undefined || this.#gatherAt > now)) return;
    this.#gatherAt = undefined;
    const shards = new Set(everything ? [...this.#told.keys(), ...this.#changed] : this.#changed);
    this.#changed.clear();
    if (everything) this.#everythingAt = after(now, this.#context.config.reportMs);
    const reports: ShardReport[] = [];
    for (const shard of [...shards].sort((a, b) => a - b)) {
      const report = reportOf(shard);
      const before = this.#told.get(shard);
      if (report === undefined) {
        this.#told.delete(shard);
        continue;
      }
      if (!everything && before !== undefined && isSame(before, report)) continue;
      this.#told.set(shard, report);
      reports.push(report);
    }
    if (reports.length > 0) this.#context.outbox.other({ kind: 'report', reports });
  }
}

/** Sizes change with every write and decide nothing: they wait for the next full report. */
function isSame(a: ShardReport, b: ShardReport): boolean {
  return (
    a.epoch === b.epoch &&
    a.active === b.active &&
    a.promised.join() === b.promised.join() &&
    a.caughtUp.join() === b.caughtUp.join()
  );
}
