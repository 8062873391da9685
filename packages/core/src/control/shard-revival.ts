import type { NodeId, ShardConfig } from '@memgrid/protocol';
import type { RegisteredMember } from '../node-status.ts';
import { servingSet, writeSets } from './shard-sets.ts';

/**
 * The configuration in which a shard goes on without the replicas that were expelled, when those
 * that are left are no majority any more; undefined when it needs no such thing, or nobody is left.
 *
 * This breaks the chain of quorums: what only the expelled had acknowledged is forgotten. Hence it
 * is an operator's word and never the planner's.
 */
export function revivedShard(
  config: ShardConfig,
  memberOf: (node: NodeId) => RegisteredMember | undefined,
): ShardConfig | undefined {
  const remain = (set: readonly NodeId[]): readonly NodeId[] =>
    set.filter((node) => memberOf(node)?.status !== 'expelled');
  const hasLost = (set: readonly NodeId[]): boolean => remain(set).length <= set.length / 2;
  // A move whose beginning is intact can be rolled back, without any loss.
  const canRollBack = config.stage === 'dual' && !hasLost(config.replicas);
  if (canRollBack || !writeSets(config).some(hasLost)) return undefined;
  const serving = remain(servingSet(config));
  const replicas = serving.length > 0 ? serving : remain([...config.replicas, ...config.next]);
  const primary = replicas.includes(config.primary) ? config.primary : replicas[0];
  if (primary === undefined) return undefined;
  return {
    ...config,
    epoch: config.epoch + 1,
    stage: 'stable',
    primary,
    primaryGeneration: memberOf(primary)?.generation ?? config.primaryGeneration,
    replicas: [...new Set(replicas)],
    next: [],
    session: 0,
  };
}
