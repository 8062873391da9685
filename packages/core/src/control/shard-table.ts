import {
  LIMITS,
  SHARD_COUNT_MAX,
  SHARD_COUNT_MIN,
  type NodeId,
  type ShardConfig,
  type ShardId,
} from '@memgrid/protocol';
import { invariant } from '../assert.ts';
import type { RegisteredMember } from '../node-status.ts';
import { revivedShard } from './shard-revival.ts';
import { epochFollows, shardTransition } from './shard-transition.ts';

/** Everything about shards in the control state, as plain data. */
export interface ShardTableImage {
  readonly shardCount: number;
  readonly replicationFactor: number;
  /** Those that have owners, in ascending order of shard. */
  readonly configs: readonly ShardConfig[];
}

/** What became of a list of changes. */
export interface AssignOutcome {
  readonly changed: number;
  /** Decided on an older configuration than the stored one. */
  readonly stale: number;
  /** Those that could never have been applied, with the reason. */
  readonly refused: readonly { readonly shard: ShardId; readonly problem: string }[];
}

type MemberOf = (node: NodeId) => RegisteredMember | undefined;

/** The section of the control state that says who owns which shard. */
export class ShardTable {
  #shardCount = 0;
  #replicationFactor = 0;
  readonly #configs: (ShardConfig | undefined)[] = [];
  #missing = 0;
  /** What `configs` answers until something changes. */
  #listed: readonly ShardConfig[] | undefined;
  readonly #changed = new Set<ShardId>();

  constructor(image: ShardTableImage | undefined) {
    if (image === undefined) return;
    this.create(image.shardCount, image.replicationFactor);
    for (const config of image.configs) {
      invariant(config.shard < image.shardCount, `Shard ${config.shard} is out of range.`);
      this.#configs[config.shard] = config;
    }
    this.#missing -= image.configs.length;
  }

  /** 0: there are no shards yet. */
  get shardCount(): number {
    return this.#shardCount;
  }

  get replicationFactor(): number {
    return this.#replicationFactor;
  }

  get(shard: ShardId): ShardConfig | undefined {
    return this.#configs[shard];
  }

  /**
   * All of them in order, so that the shard is the index; empty until each has an owner.
   * The same list until something changes; unchanged shards are the same objects for ever.
   */
  configs(): readonly ShardConfig[] {
    this.#listed ??= this.#missing > 0 ? [] : this.#assigned();
    return this.#listed;
  }

  image(): ShardTableImage | undefined {
    if (this.#shardCount === 0) return undefined;
    const { shardCount, replicationFactor } = this;
    return { shardCount, replicationFactor, configs: this.#assigned() };
  }

  /** What changed since the last call, as it is now, in order. Nothing before all have owners. */
  takeChanged(): readonly ShardConfig[] {
    if (this.#changed.size === 0 || this.#missing > 0) return [];
    const changed = [...this.#changed].sort((a, b) => a - b);
    this.#changed.clear();
    return changed.map((shard) => this.#configs[shard] as ShardConfig);
  }

  /** Compared with another copy of the table: which of this one's shards are others there. */
  changedSince(other: ShardTable): readonly ShardConfig[] {
    const before = other.configs();
    return this.configs().filter((config, shard) => !isSameConfig(config, before[shard]));
  }

  problemWithCreating(shardCount: number, replicationFactor: number): string | undefined {
    if (this.#shardCount > 0) return `The cluster has ${this.#shardCount} shards already.`;
    const isPowerOfTwo = shardCount > 0 && (shardCount & (shardCount - 1)) === 0;
    if (!isPowerOfTwo || shardCount < SHARD_COUNT_MIN || shardCount > SHARD_COUNT_MAX) {
      return `shardCount (${shardCount}) must be a power of two from ${SHARD_COUNT_MIN} to ${SHARD_COUNT_MAX}.`;
    }
    if (replicationFactor >= 1 && replicationFactor <= LIMITS.replicasMax) return undefined;
    return `replicationFactor (${replicationFactor}) must be from 1 to ${LIMITS.replicasMax}.`;
  }

  create(shardCount: number, replicationFactor: number): void {
    this.#shardCount = shardCount;
    this.#replicationFactor = replicationFactor;
    this.#missing = shardCount;
    for (let shard = 0; shard < shardCount; shard++) this.#configs.push(undefined);
  }

  /** Why none of `changes` would be applied, in a sentence. */
  problemWithAssigning(changes: readonly ShardConfig[], memberOf: MemberOf): string | undefined {
    let problem = 'There is nothing to assign.';
    for (const change of changes) {
      const found = this.#problemWith(change, memberOf);
      if (found === undefined) return undefined;
      problem = `Shard ${change.shard}: ${found}`;
    }
    return problem;
  }

  /** Applies each change that may be applied. */
  assign(changes: readonly ShardConfig[], memberOf: MemberOf): AssignOutcome {
    const refused: { shard: ShardId; problem: string }[] = [];
    let changed = 0;
    let stale = 0;
    for (const change of changes) {
      const { shard } = change;
      const problem = this.#problemWith(change, memberOf);
      if (problem === undefined) {
        this.#put(change);
        changed += 1;
      } else if (shard < this.#shardCount && !epochFollows(this.#configs[shard], change)) {
        stale += 1;
      } else refused.push({ shard, problem });
    }
    return { changed, stale, refused };
  }

  /** Shards that can go on only without the replicas that were expelled, as they would be. */
  revivable(memberOf: MemberOf): readonly ShardConfig[] {
    return this.configs()
      .map((config) => revivedShard(config, memberOf))
      .filter((config) => config !== undefined);
  }

  revive(memberOf: MemberOf): number {
    const revived = this.revivable(memberOf);
    for (const config of revived) this.#put(config);
    return revived.length;
  }

  #put(config: ShardConfig): void {
    if (this.#configs[config.shard] === undefined) this.#missing -= 1;
    this.#configs[config.shard] = config;
    this.#changed.add(config.shard);
    this.#listed = undefined;
  }

  #problemWith(change: ShardConfig, memberOf: MemberOf): string | undefined {
    if (change.shard >= this.#shardCount) return `There are ${this.#shardCount} shards.`;
    const before = this.#configs[change.shard];
    const problem = shardTransition(before, change);
    if (problem !== undefined) return problem;
    const primary = memberOf(change.primary);
    if (primary !== undefined && primary.generation < change.primaryGeneration) {
      return `${change.primary} has not registered generation ${change.primaryGeneration}.`;
    }
    return problemWithNewNodes(before, change, memberOf);
  }

  #assigned(): readonly ShardConfig[] {
    return this.#configs.filter((config) => config !== undefined);
  }
}

/** A dead or expelled replica stays in its set until a move replaces it, but cannot enter one. */
function problemWithNewNodes(
  before: ShardConfig | undefined,
  { next, primary, replicas }: ShardConfig,
  memberOf: MemberOf,
): string | undefined {
  const known = before === undefined ? [] : [...before.replicas, ...before.next];
  const fresh = [...replicas, ...next].filter((node) => !known.includes(node));
  for (const node of [...fresh, primary]) {
    const status = memberOf(node)?.status;
    if (status === undefined) return `No member ${node} is registered.`;
    if (status === 'left' || status === 'expelled') return `${node} is ${status}.`;
  }
  return undefined;
}

function isSameConfig(a: ShardConfig, b: ShardConfig | undefined): boolean {
  // One epoch, one configuration: that is what the compare-and-set on the epoch is for. Only
  // a forced recovery can make two, and it gives every shard an epoch of its own.
  return a === b || (b !== undefined && a.epoch === b.epoch);
}
