import type { NodeId, ShardConfig, ShardReport } from '@memgrid/protocol';
import { holders, joiners } from '../control/shard-sets.ts';
import type { ControlView } from '../node-status.ts';

/** How far a drain is. */
export interface DrainProgress {
  /** Shards that the node still holds or is about to get. 0 with no primaries: it may stop. */
  readonly replicasLeft: number;
  readonly primariesLeft: number;
  /** What it may have held at first: its fair share, or what it still holds if that is more. */
  readonly total: number;
}

/** What the committed table says of a node that is to hold nothing. */
export function drainProgress(control: ControlView, node: NodeId): DrainProgress {
  let replicasLeft = 0;
  let primariesLeft = 0;
  for (const config of control.shards) {
    if (holders(config).includes(node)) replicasLeft += 1;
    if (config.primary === node) primariesLeft += 1;
  }
  return { replicasLeft, primariesLeft, total: Math.max(replicasLeft, fairShare(control, node)) };
}

function fairShare({ members, replicationFactor, shardCount }: ControlView, node: NodeId): number {
  const sharing = members.filter(({ nodeId, status }) => status === 'normal' || nodeId === node);
  const own = members.find(({ nodeId }) => nodeId === node)?.weight ?? 0;
  const all = sharing.reduce((sum, { weight }) => sum + weight, 0);
  if (own === 0) return 0;
  const copies = shardCount * Math.min(replicationFactor, sharing.length);
  return Math.min(shardCount, Math.round((copies * own) / all));
}

/** Moves into and out of one node. */
export interface NodeMoves {
  readonly node: NodeId;
  /** Shards that it is about to hold, and those of them whose data it has already. */
  readonly incoming: number;
  readonly caughtUp: number;
  /** As far as the primaries know. */
  readonly incomingBytes: number;
  /** Shards that it holds and is about to give up. */
  readonly outgoing: number;
}

export interface MoveProgress {
  readonly admit: number;
  readonly dual: number;
  readonly switch: number;
  /** Nodes with any, sorted by id. */
  readonly nodes: readonly NodeMoves[];
}

/** The moves under way. @param reports the primaries' latest, in any order. */
export function moveProgress(control: ControlView, reports: readonly ShardReport[]): MoveProgress {
  const byShard = new Map(reports.map((report) => [report.shard, report]));
  const stages = { admit: 0, dual: 0, switch: 0 };
  const nodes = new Map<NodeId, NodeMoves>();
  const add = (node: NodeId, change: Partial<NodeMoves>): void => {
    const present = nodes.get(node) ?? nothing(node);
    nodes.set(node, {
      node,
      incoming: present.incoming + (change.incoming ?? 0),
      caughtUp: present.caughtUp + (change.caughtUp ?? 0),
      incomingBytes: present.incomingBytes + (change.incomingBytes ?? 0),
      outgoing: present.outgoing + (change.outgoing ?? 0),
    });
  };
  for (const config of control.shards) {
    if (config.stage === 'stable') continue;
    stages[config.stage] += 1;
    const report = byShard.get(config.shard);
    for (const node of joiners(config)) {
      const caughtUp = isCaughtUp(config, report, node) ? 1 : 0;
      add(node, { incoming: 1, caughtUp, incomingBytes: report?.bytes ?? 0 });
    }
    for (const node of leavers(config)) add(node, { outgoing: 1 });
  }
  const sorted = [...nodes.values()].sort((a, b) => (a.node < b.node ? -1 : 1));
  return { ...stages, nodes: sorted };
}

function nothing(node: NodeId): NodeMoves {
  return { node, incoming: 0, caughtUp: 0, incomingBytes: 0, outgoing: 0 };
}

function isCaughtUp(config: ShardConfig, report: ShardReport | undefined, node: NodeId): boolean {
  if (config.stage === 'switch') return true;
  return report?.epoch === config.epoch && report.caughtUp.includes(node);
}

function leavers({ next, replicas }: ShardConfig): readonly NodeId[] {
  return replicas.filter((node) => !next.includes(node));
}
