import type { ShardConfig } from '@memgrid/protocol';
import type { Expectation, NodeView, WorldView } from '../checker.ts';

/**
 * Every shard ends its move, has a primary that serves, and replicas that have applied the same.
 *
 * A replica that is gone keeps its place only where too few nodes are left for all copies: see
 * `core/planner`, G5.
 */
export function shardsWholeAfterHealing(withinMs: number): Expectation {
  return { name: 'shards-whole-after-healing', withinMs, missing };
}

function missing(view: WorldView): string | undefined {
  const byId = new Map(view.expected.map((node) => [node.status?.nodeId, node]));
  const newest = view.expected
    .map(({ status }) => status?.control)
    .reduce((a, b) => ((b?.index ?? -1) > (a?.index ?? -1) ? b : a), undefined);
  if (newest === undefined) return 'nobody knows the control state.';
  if (newest.shards.length === 0) return 'there are no shards.';
  const replaceable = view.expected.length >= newest.replicationFactor;
  for (const config of newest.shards) {
    const problem = problemOf(view, config, { byId, replaceable });
    if (problem !== undefined) return `shard ${config.shard} ${problem}`;
  }
  return undefined;
}

interface Nodes {
  readonly byId: ReadonlyMap<string | undefined, NodeView>;
  /** There are enough of them to take the place of one that is gone. */
  readonly replaceable: boolean;
}

function problemOf(
  view: WorldView,
  config: ShardConfig,
  { byId, replaceable }: Nodes,
): string | undefined {
  const { epoch, primary, replicas, shard, stage } = config;
  if (stage !== 'stable') return `is in stage ${stage} of epoch ${epoch}.`;
  const statusOf = (id: string) => byId.get(id)?.status?.shards.find((one) => one.shard === shard);
  const leader = statusOf(primary);
  if (leader?.active !== true) return `is not served by ${view.nameOf(primary)} in epoch ${epoch}.`;
  for (const id of replicas) {
    const name = view.nameOf(id);
    if (!byId.has(id)) {
      if (replaceable) return `counts on ${name}, which is gone.`;
      continue;
    }
    const one = statusOf(id);
    if (one?.complete !== true) return `is not whole at ${name}.`;
    if (one.applied !== leader.last.index) {
      return `is applied up to ${one.applied} of ${leader.last.index} at ${name}.`;
    }
  }
  return undefined;
}
