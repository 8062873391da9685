import type { Generation, NodeId, ShardConfig, ShardId, ShardReport } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';

interface Entry {
  readonly from: NodeId;
  readonly generation: Generation;
  readonly report: ShardReport;
  /** Since when the report says the same about its members. */
  readonly since: Instant;
}

/** The latest word of each shard's primary. */
export class ReportBook {
  readonly #entries = new Map<ShardId, Entry>();
  readonly #heardAt = new Map<NodeId, Instant>();

  forget(): void {
    this.#entries.clear();
    this.#heardAt.clear();
  }

  /** When this node last reported anything: silence about a shard means nothing without it. */
  heardAt(node: NodeId): Instant | undefined {
    return this.#heardAt.get(node);
  }

  /** @returns whether the report says anything new. */
  note(now: Instant, sender: Pick<Entry, 'from' | 'generation'>, report: ShardReport): boolean {
    const known = this.#entries.get(report.shard);
    this.#heardAt.set(sender.from, now);
    // A replaced primary may still be talking, later than the one that replaced it.
    if (known !== undefined && known.report.epoch > report.epoch) return false;
    const news = known === undefined || !saysTheSame(known.report, report);
    const since = news ? now : known.since;
    this.#entries.set(report.shard, { ...sender, report, since });
    return news;
  }

  /** What the shard's primary says of this very epoch; nothing else may advance a shard. */
  current(config: ShardConfig): ShardReport | undefined {
    const entry = this.#entries.get(config.shard);
    if (entry?.report.epoch !== config.epoch) return undefined;
    if (entry.from !== config.primary) return undefined;
    return entry.generation === config.primaryGeneration ? entry.report : undefined;
  }

  /** Whoever said it, in whichever epoch: good enough to choose among the living. */
  last(shard: ShardId): ShardReport | undefined {
    return this.#entries.get(shard)?.report;
  }

  changedAt(config: ShardConfig): Instant | undefined {
    return this.current(config) === undefined ? undefined : this.#entries.get(config.shard)?.since;
  }

  /** The current ones of all primaries. */
  all(configs: readonly ShardConfig[]): readonly ShardReport[] {
    return configs.map((config) => this.current(config)).filter((report) => report !== undefined);
  }
}

function saysTheSame(a: ShardReport, b: ShardReport): boolean {
  return (
    a.epoch === b.epoch &&
    a.active === b.active &&
    a.promised.length === b.promised.length &&
    a.caughtUp.length === b.caughtUp.length &&
    a.promised.every((node) => b.promised.includes(node)) &&
    a.caughtUp.every((node) => b.caughtUp.includes(node))
  );
}
