import type { Generation, NodeId, ShardConfig, ShardId, ShardReport } from '@memgrid/protocol';
import { holders, writeSets } from '../control/shard-sets.ts';
import type { Random } from '../random.ts';

const ACTIVATION_MS_MAX = 300;
const REPORT_MS = 5_000;

interface FakeShard {
  config: ShardConfig;
  activeAt: number | undefined;
  /** Whether this epoch's activation reached its write quorum once, which nothing undoes. */
  activated: boolean;
  /** Nodes whose copy is whole. They keep it while they are down. */
  readonly complete: Set<NodeId>;
  /** When the stream into a joiner ends. */
  readonly streams: Map<NodeId, number>;
  reported: string;
  reportedAt: number;
}

type LifeOf = (node: NodeId) => Generation | undefined;

/** What the nodes' shards would do, without any data: promise, stream, activate, report. */
export class FakeShards {
  readonly #random: Random;
  readonly #streamMsMax: number;
  readonly #shards = new Map<ShardId, FakeShard>();
  #reports = new Map<NodeId, ShardReport[]>();

  constructor(random: Random, streamMsMax: number) {
    this.#random = random;
    this.#streamMsMax = streamMsMax;
  }

  configured(now: number, configs: readonly ShardConfig[]): void {
    for (const config of configs) {
      const known = this.#shards.get(config.shard);
      const shard: FakeShard = known ?? {
        config,
        activeAt: undefined,
        activated: false,
        complete: new Set(config.replicas),
        streams: new Map(),
        reported: '',
        reportedAt: now,
      };
      const keep = holders(config);
      for (const node of shard.complete) if (!keep.includes(node)) shard.complete.delete(node);
      for (const node of shard.streams.keys()) if (!keep.includes(node)) shard.streams.delete(node);
      this.#shards.set(config.shard, { ...shard, config, activeAt: undefined, activated: false });
    }
  }

  isActive(config: ShardConfig): boolean {
    const shard = this.#shards.get(config.shard);
    return shard?.config.epoch === config.epoch && shard.activeAt === Number.NEGATIVE_INFINITY;
  }

  wasActivated(config: ShardConfig): boolean {
    const shard = this.#shards.get(config.shard);
    return shard?.config.epoch === config.epoch && shard.activated;
  }

  isComplete(shard: ShardId, node: NodeId): boolean {
    return this.#shards.get(shard)?.complete.has(node) ?? false;
  }

  takeReports(): ReadonlyMap<NodeId, readonly ShardReport[]> {
    const reports = this.#reports;
    this.#reports = new Map();
    return reports;
  }

  tick(now: number, configs: readonly ShardConfig[], lifeOf: LifeOf): void {
    for (const { shard: id } of configs) {
      const shard = this.#shards.get(id);
      if (shard === undefined) continue;
      const leads = lifeOf(shard.config.primary) === shard.config.primaryGeneration;
      if (!leads) {
        shard.activeAt = undefined;
        continue;
      }
      this.#activate(now, shard, lifeOf);
      this.#stream(now, shard, lifeOf);
      this.#report(now, shard, lifeOf);
    }
  }

  #activate(now: number, shard: FakeShard, lifeOf: LifeOf): void {
    const heard = writeSets(shard.config).every((set) => {
      return set.filter((node) => lifeOf(node) !== undefined).length > set.length / 2;
    });
    if (!heard) shard.activeAt = undefined;
    else if (shard.activeAt === undefined) {
      shard.activeAt = now + this.#random.between(0, ACTIVATION_MS_MAX);
    } else if (shard.activeAt <= now) {
      shard.activeAt = Number.NEGATIVE_INFINITY;
      shard.activated = true;
    }
  }

  #stream(now: number, shard: FakeShard, lifeOf: LifeOf): void {
    if (shard.activeAt !== Number.NEGATIVE_INFINITY) return;
    for (const node of writeSets(shard.config).flat()) {
      if (shard.complete.has(node)) continue;
      const ends = shard.streams.get(node);
      if (lifeOf(node) === undefined) shard.streams.delete(node);
      else if (ends === undefined) {
        shard.streams.set(node, now + this.#random.between(0, this.#streamMsMax));
      } else if (ends <= now) shard.complete.add(node);
    }
  }

  #report(now: number, shard: FakeShard, lifeOf: LifeOf): void {
    const { config } = shard;
    const promised = holders(config).filter((node) => lifeOf(node) !== undefined);
    const report: ShardReport = {
      shard: config.shard,
      epoch: config.epoch,
      active: this.isActive(config),
      promised,
      caughtUp: promised.filter((node) => shard.complete.has(node)),
      entries: 100,
      bytes: 30_000,
    };
    const said = JSON.stringify(report);
    if (said === shard.reported && now - shard.reportedAt < REPORT_MS) return;
    shard.reported = said;
    shard.reportedAt = now;
    const reports = this.#reports.get(config.primary);
    if (reports === undefined) this.#reports.set(config.primary, [report]);
    else reports.push(report);
  }
}
