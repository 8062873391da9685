import { Random } from '@memgrid/core';
import type { Generation, NodeId, ShardConfig, ShardId, ShardReport } from '@memgrid/protocol';

/** A node as the control group believes it to be. */
export interface BelievedNode {
  readonly nodeId: NodeId;
  readonly alive: boolean;
  readonly generation: Generation;
}

export interface ShardControlOptions {
  readonly random: Random;
  readonly shards: number;
  readonly replicationFactor: number;
  readonly nodes: () => readonly BelievedNode[];
  /** Something was committed: everybody is told, sooner or later. */
  readonly committed: () => void;
}

/** Share of stages that end before everybody who should be ready is; safe, only not wise. */
const HASTY_SHARE = 0.15;
/** A move that makes no progress for this many rounds is given up. */
const PATIENCE_ROUNDS = 60;

interface Progress {
  readonly epoch: number;
  rounds: number;
}

/**
 * The control group as an ideal: one table, one order of changes, each of them one epoch later.
 *
 * It does what the planner may do and more: it fails over without need, moves at random, gives
 * moves up, and hurries. Whatever it decides is allowed by `core/control` (shard-transition), so
 * replicas have to keep every promise whatever it decides.
 */
export class ShardControl {
  readonly #options: ShardControlOptions;
  readonly #random: Random;
  readonly #log: ShardConfig[] = [];
  readonly #table = new Map<ShardId, ShardConfig>();
  readonly #reports = new Map<ShardId, ShardReport>();
  readonly #progress = new Map<ShardId, Progress>();
  #calm = false;

  constructor(options: ShardControlOptions) {
    this.#options = options;
    this.#random = options.random;
    for (let shard = 0; shard < options.shards; shard += 1) this.#create(shard as ShardId);
  }

  /** How many changes have been committed. */
  get length(): number {
    return this.#log.length;
  }

  get configs(): readonly ShardConfig[] {
    return [...this.#table.values()];
  }

  config(shard: ShardId): ShardConfig {
    const found = this.#table.get(shard);
    if (found === undefined) throw new RangeError(`There is no shard ${shard}.`);
    return found;
  }

  /** What changed in (after, to], each shard once, as it was then. */
  changes(after: number, to: number): readonly ShardConfig[] {
    const latest = new Map<ShardId, ShardConfig>();
    for (const config of this.#log.slice(after, to)) latest.set(config.shard, config);
    return [...latest.values()];
  }

  reported(reports: readonly ShardReport[]): void {
    for (const report of reports) {
      const known = this.#reports.get(report.shard);
      if (known === undefined || known.epoch <= report.epoch) {
        this.#reports.set(report.shard, report);
      }
    }
  }

  /** From now on nothing is changed without need: every move ends, and every shard gets owners. */
  calm(): void {
    this.#calm = true;
  }

  /** Another primary, whether or not the old one is well: `wanted`, if it may lead. */
  failOver(shard: ShardId, pick: number, wanted?: NodeId): void {
    const config = this.config(shard);
    const candidates = this.#electable(config);
    const picked = candidates[pick % candidates.length];
    const nodeId = wanted !== undefined && candidates.includes(wanted) ? wanted : picked;
    if (nodeId !== undefined) this.#commit({ ...config, ...this.#primary(nodeId) });
  }

  move(shard: ShardId, pick: number): void {
    const config = this.config(shard);
    if (config.stage !== 'stable' || this.#calm) return;
    const random = Random.of(pick);
    const all = this.#options.nodes().map(({ nodeId }) => nodeId);
    const stay = random.shuffled(config.replicas).slice(0, random.below(config.replicas.length));
    const others = random.shuffled(all.filter((nodeId) => !stay.includes(nodeId)));
    const next = [...stay, ...others].slice(0, this.#options.replicationFactor);
    if (
      next.length === config.replicas.length &&
      next.every((id) => config.replicas.includes(id))
    ) {
      return;
    }
    this.#commit({ ...config, stage: 'admit', next, session: config.epoch + 1 });
  }

  rollBack(shard: ShardId): void {
    const config = this.config(shard);
    if (config.stage !== 'admit' && config.stage !== 'dual') return;
    this.#commit({ ...config, stage: 'stable', next: [], session: 0 });
  }

  /** What the planner's round does. */
  round(): void {
    for (const config of this.configs) this.#roundOf(config);
  }

  #roundOf(config: ShardConfig): void {
    const { shard } = config;
    const progress = this.#progress.get(shard);
    if (progress?.epoch === config.epoch) progress.rounds += 1;
    else this.#progress.set(shard, { epoch: config.epoch, rounds: 0 });
    if (this.#needsPrimary(config)) {
      this.failOver(shard, this.#random.below(1_000));
      return;
    }
    if (this.#goOn(config)) return;
    const rounds = this.#progress.get(shard)?.rounds ?? 0;
    if (rounds > PATIENCE_ROUNDS && !this.#calm) this.rollBack(shard);
  }

  /** The next stage, when the primary's report allows it. */
  #goOn(config: ShardConfig): boolean {
    const report = this.#reports.get(config.shard);
    if (report?.epoch !== config.epoch || !report.active) return false;
    const hasty = !this.#calm && this.#random.chance(HASTY_SHARE);
    const wanted = hasty ? majorityOf(config.next) : config.next.length;
    switch (config.stage) {
      case 'stable':
        return false;
      case 'admit':
        if (countOf(report.promised, config.next) < wanted) return false;
        this.#commit({ ...config, stage: 'dual' });
        return true;
      case 'dual': {
        const ready = config.next.filter((nodeId) => report.caughtUp.includes(nodeId));
        if (ready.length < Math.max(wanted, majorityOf(config.next))) return false;
        const stays = ready.includes(config.primary) && this.#random.chance(0.8);
        const nodeId = stays ? config.primary : (this.#random.pick(ready) as NodeId);
        this.#commit({ ...config, stage: 'switch', ...this.#primary(nodeId) });
        return true;
      }
      case 'switch':
        this.#commit({
          ...config,
          stage: 'stable',
          replicas: config.next,
          next: [],
          session: 0,
        });
        return true;
    }
  }

  #needsPrimary(config: ShardConfig): boolean {
    const believed = this.#options.nodes().find(({ nodeId }) => nodeId === config.primary);
    if (believed === undefined) return true;
    return !believed.alive || believed.generation !== config.primaryGeneration;
  }

  /** Those who may be primary, and seem to live if anybody does. */
  #electable({ stage, replicas, next }: ShardConfig): readonly NodeId[] {
    const all = stage === 'switch' ? next : replicas;
    const nodes = this.#options.nodes();
    const alive = all.filter((id) => nodes.find(({ nodeId }) => nodeId === id)?.alive ?? false);
    return alive.length > 0 ? alive : all;
  }

  #primary(nodeId: NodeId): Pick<ShardConfig, 'primary' | 'primaryGeneration'> {
    const believed = this.#options.nodes().find((node) => node.nodeId === nodeId);
    return { primary: nodeId, primaryGeneration: believed?.generation ?? (1 as Generation) };
  }

  #create(shard: ShardId): void {
    const all = this.#options.nodes().map(({ nodeId }) => nodeId);
    const replicas = this.#random.shuffled(all).slice(0, this.#options.replicationFactor);
    const config: ShardConfig = {
      shard,
      epoch: 1,
      stage: 'stable',
      primary: replicas[0] as NodeId,
      primaryGeneration: 1 as Generation,
      replicas,
      next: [],
      session: 0,
    };
    this.#table.set(shard, config);
    this.#log.push(config);
  }

  #commit(changed: ShardConfig): void {
    const config = { ...changed, epoch: this.config(changed.shard).epoch + 1 };
    this.#table.set(config.shard, config);
    this.#log.push(config);
    this.#options.committed();
  }
}

function majorityOf(nodes: readonly NodeId[]): number {
  return Math.floor(nodes.length / 2) + 1;
}

function countOf(nodes: readonly NodeId[], among: readonly NodeId[]): number {
  return among.filter((nodeId) => nodes.includes(nodeId)).length;
}
