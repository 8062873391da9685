import type { ShardId, ShardReport } from '@memgrid/protocol';
import { after, type Instant } from '../machine.ts';
import type { ShardContext } from './shard-context.ts';

/** Changes are told together, this long after the first of them. */
const GATHER_MS = 50;

/** Where reports come from. */
export interface ReportSource {
  /** Undefined where this node is not the primary. */
  report(shard: ShardId): ShardReport | undefined;
  /**
   * Whether a report still says everything that decides about anything. Sizes change with every
   * write and decide nothing: they wait for the next full report.
   */
  isReported(shard: ShardId, told: ShardReport): boolean;
}

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

  wake(now: Instant, of: ReportSource): void {
    const everything = this.#everythingAt <= now;
    if (!everything && (this.#gatherAt === undefined || this.#gatherAt > now)) return;
    this.#gatherAt = undefined;
    const shards = new Set(everything ? [...this.#told.keys(), ...this.#changed] : this.#changed);
    this.#changed.clear();
    if (everything) this.#everythingAt = after(now, this.#context.config.reportMs);
    const reports: ShardReport[] = [];
    for (const shard of [...shards].sort((a, b) => a - b)) {
      const before = this.#told.get(shard);
      if (!everything && before !== undefined && of.isReported(shard, before)) continue;
      const report = of.report(shard);
      if (report === undefined) {
        this.#told.delete(shard);
        continue;
      }
      this.#told.set(shard, report);
      reports.push(report);
    }
    if (reports.length > 0) this.#context.outbox.other({ kind: 'report', reports });
  }
}
