import type { Instant } from '../machine.ts';
import type { NodeStatus } from '../node-status.ts';
import type { ClusterView } from './cluster-view.ts';

type ClusterPart = Pick<
  NodeStatus,
  'control' | 'election' | 'coordinator' | 'progress' | 'moves' | 'members' | 'rows' | 'healthScore'
>;

const NO_CLUSTER: ClusterPart = {
  control: undefined,
  election: undefined,
  coordinator: undefined,
  progress: [],
  moves: undefined,
  members: [],
  rows: [],
  healthScore: 0,
};

/** What a node's status says about its cluster; empty while it has none. */
export function describeCluster(now: Instant, cluster: ClusterView | undefined): ClusterPart {
  if (cluster === undefined) return NO_CLUSTER;
  const election = cluster.election();
  return {
    control: cluster.control(),
    election: election.role === 'outsider' ? undefined : election,
    coordinator: cluster.coordinator,
    progress: cluster.progress(now),
    moves: cluster.moves(),
    members: cluster.members(),
    rows: cluster.rows(),
    healthScore: cluster.healthScore,
  };
}
