import type { NodeStatus } from '@memgrid/core';
import type { NodeId, ShardConfig } from '@memgrid/protocol';

/** Shards named in one sentence. */
const EXAMPLES_MAX = 5;

/**
 * Why this node should not stop now, as far as it knows: what would no longer have a majority, and
 * what has lost a copy already or is on the move. Empty when it may go.
 */
export function stopProblems(status: NodeStatus): readonly string[] {
  const { control, election, members, nodeId: self } = status;
  if (control === undefined) return [];
  const alive = new Set(
    members.filter(({ liveness }) => liveness === 'alive').map(({ nodeId }) => nodeId),
  );
  const survives = (set: readonly NodeId[]): boolean => {
    const left = set.filter((node) => node !== self && alive.has(node)).length;
    return !set.includes(self) || left > set.length / 2;
  };
  const own = control.shards.filter(
    ({ replicas, next }) => replicas.includes(self) || next.includes(self),
  );
  const isWhole = ({ replicas, next }: ShardConfig): boolean =>
    [...replicas, ...next].every((node) => node === self || alive.has(node));
  const problems = [
    about(
      own.filter(({ replicas, next }) => !survives(replicas) || !survives(next)),
      'would have no majority of its replicas without this node',
    ),
    about(
      own.filter(({ stage }) => stage !== 'stable'),
      'is on the move',
    ),
    about(
      own.filter((config) => !isWhole(config)),
      'has a replica that is away',
    ),
  ];
  const voters = election?.config.voters ?? [];
  if (!survives(voters)) {
    problems.push('The control group would have no majority of its voters without this node.');
  }
  return problems.filter((problem) => problem !== undefined);
}

function about(configs: readonly ShardConfig[], what: string): string | undefined {
  if (configs.length === 0) return undefined;
  const named = configs.slice(0, EXAMPLES_MAX).map(({ shard }) => shard);
  const more = configs.length > named.length ? ', …' : '';
  return `Of the shards of this node ${configs.length} each ${what}: ${named.join(', ')}${more}.`;
}
