import {
  LIMITS,
  type NodeId,
  type ShardConfig,
  type ShardId,
  type ShardReport,
} from '@memgrid/protocol';

/** A part of the reports, for whoever coordinates. */
export interface ReportParcel {
  readonly to: NodeId;
  readonly reports: readonly ShardReport[];
}

/**
 * Takes the reports of this node's primaries to the coordinator, and all of them again to the next
 * one: it begins with knowing nothing.
 */
export class ReportCourier {
  readonly #self: NodeId;
  readonly #latest = new Map<ShardId, ShardReport>();
  #coordinator: NodeId | undefined;

  constructor(self: NodeId) {
    this.#self = self;
  }

  /** Whom reports go to. */
  get coordinator(): NodeId | undefined {
    return this.#coordinator;
  }

  take(reports: readonly ShardReport[]): readonly ReportParcel[] {
    for (const report of reports) this.#latest.set(report.shard, report);
    return this.#parcels(reports);
  }

  /** Reports of shards that have another primary now are worth nothing. */
  placed(changed: readonly ShardConfig[]): void {
    for (const { shard, primary } of changed) {
      if (primary !== this.#self) this.#latest.delete(shard);
    }
  }

  follow(coordinator: NodeId | undefined): readonly ReportParcel[] {
    if (coordinator === this.#coordinator) return [];
    this.#coordinator = coordinator;
    return this.#parcels([...this.#latest.values()]);
  }

  #parcels(reports: readonly ShardReport[]): readonly ReportParcel[] {
    const to = this.#coordinator;
    if (to === undefined) return [];
    const parcels: ReportParcel[] = [];
    for (let from = 0; from < reports.length; from += LIMITS.shardReportsMax) {
      parcels.push({ to, reports: reports.slice(from, from + LIMITS.shardReportsMax) });
    }
    return parcels;
  }
}
