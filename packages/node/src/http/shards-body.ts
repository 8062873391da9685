import type { NodeStatus, ShardStatus, ShardTotals } from '@memgrid/core';
import type { ShardConfig } from '@memgrid/protocol';

/** `/cluster/shards?summary`: the numbers, for whoever asks again and again. */
export interface ShardsSummaryBody {
  readonly answeredBy: string;
  readonly controlIndex: number | null;
  /** 0 until the shards are created. */
  readonly shardCount: number;
  readonly replicationFactor: number;
  readonly stages: Readonly<Record<ShardConfig['stage'], number>>;
  /** By node id: what each is to hold. */
  readonly nodes: readonly NodeShardsBody[];
  readonly local: ShardTotals;
  /** At the coordinator only: the moves under way and those that wait. */
  readonly moves: NodeStatus['moves'] | null;
}

/** `/cluster/shards`: who owns what, as committed, and how this node's own copies are. */
export interface ShardsBody extends ShardsSummaryBody {
  readonly shards: readonly ShardBody[];
}

export interface NodeShardsBody {
  readonly nodeId: string;
  readonly primaries: number;
  readonly replicas: number;
  /** Shards that it is about to hold. */
  readonly incoming: number;
}

export interface ShardBody {
  readonly shard: number;
  readonly epoch: number;
  readonly stage: ShardConfig['stage'];
  readonly primary: string;
  readonly replicas: readonly string[];
  readonly next: readonly string[];
  /** This node's copy; null when it has none. */
  readonly local: LocalShardBody | null;
}

export interface LocalShardBody {
  readonly role: ShardStatus['role'];
  readonly active: boolean;
  readonly complete: boolean;
  readonly promised: number;
  readonly last: number;
  readonly commit: number;
  readonly applied: number;
  readonly entries: number;
}

export function shardsSummaryBody(status: NodeStatus): ShardsSummaryBody {
  const { control } = status;
  const configs = control?.shards ?? [];
  const stages = { stable: 0, admit: 0, dual: 0, switch: 0 };
  for (const { stage } of configs) stages[stage] += 1;
  return {
    answeredBy: status.nodeId,
    controlIndex: control?.index ?? null,
    shardCount: control?.shardCount ?? 0,
    replicationFactor: control?.replicationFactor ?? 0,
    stages,
    nodes: nodesOf(configs),
    local: status.shardTotals,
    moves: status.moves ?? null,
  };
}

export function shardsBody(status: NodeStatus): ShardsBody {
  const own = new Map(status.shards.map((shard) => [shard.shard, shard]));
  const shards = (status.control?.shards ?? []).map((config) => {
    const { shard, epoch, stage, primary, replicas, next } = config;
    const copy = own.get(shard);
    const local = copy === undefined ? null : localShardBody(copy);
    return { shard, epoch, stage, primary, replicas, next, local };
  });
  return { ...shardsSummaryBody(status), shards };
}

function nodesOf(configs: readonly ShardConfig[]): readonly NodeShardsBody[] {
  const nodes = new Map<string, { primaries: number; replicas: number; incoming: number }>();
  const countsOf = (node: string): { primaries: number; replicas: number; incoming: number } => {
    const known = nodes.get(node) ?? { primaries: 0, replicas: 0, incoming: 0 };
    nodes.set(node, known);
    return known;
  };
  for (const { primary, replicas, next } of configs) {
    countsOf(primary).primaries += 1;
    for (const node of replicas) countsOf(node).replicas += 1;
    for (const node of next) if (!replicas.includes(node)) countsOf(node).incoming += 1;
  }
  return [...nodes]
    .map(([nodeId, counts]) => ({ nodeId, ...counts }))
    .toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
}

function localShardBody(copy: ShardStatus): LocalShardBody {
  const { role, active, complete, promised, last, commit, applied, entries } = copy;
  return { role, active, complete, promised, last: last.index, commit, applied, entries };
}
