import type { Links } from '../links/links.ts';
import type { Instant } from '../machine.ts';
import type { Identity, NodeSettings } from '../node-io.ts';
import type { NodePhase, NodeStatus } from '../node-status.ts';
import type { ClockKeeper } from './clock-keeper.ts';
import type { ClusterSearch } from './cluster-search.ts';
import type { ClusterView } from './cluster-view.ts';
import type { DataPlane } from './data-plane.ts';
import { describeCluster } from './describe-cluster.ts';
import { missingCoordinator } from './missing-coordinator.ts';
import type { Rejections } from './rejections.ts';

/** What a node's status is read from. */
export interface NodeParts {
  readonly settings: NodeSettings;
  readonly identity: Identity;
  readonly phase: NodePhase;
  readonly cluster: ClusterView | undefined;
  readonly links: Links;
  readonly search: ClusterSearch;
  readonly rejections: Rejections;
  readonly data: DataPlane;
  readonly clock: ClockKeeper;
}

/**
 * The list of shards is read when it is asked for first: to be looked at before the node's next
 * step, as every status is.
 */
export function describeNode(now: Instant, parts: NodeParts): NodeStatus {
  const { clock, cluster, data, identity, links, phase, settings } = parts;
  const seen = describeCluster(now, cluster);
  const settled = seen.coordinator !== undefined;
  let shards: NodeStatus['shards'] | undefined;
  return {
    ...seen,
    nodeId: identity.nodeId,
    generation: identity.generation,
    phase,
    clusterId: identity.clusterId,
    address: settings.address,
    httpAddress: settings.httpAddress,
    waitingFor: settled ? cluster?.registrationProblem : waitingFor(parts),
    connectedPeers: links.connectedPeers(),
    // A thousand objects, which most of those who look every second have no use for.
    get shards() {
      shards ??= data.shards;
      return shards;
    },
    shardTotals: data.shardTotals,
    clients: data.clients,
    logBytes: data.logBytes,
    operationBytes: data.operationBytes,
    waitingOperations: data.operationCount,
    clock: {
      timestamp: clock.latest,
      suspect: clock.suspect,
      remoteAheadCount: clock.remoteAheadCount,
    },
  };
}

/** Why there is no cluster or no coordinator, in a sentence. */
export function waitingFor(parts: NodeParts): string {
  const { cluster, identity, links, phase, rejections, search } = parts;
  const rejection = rejections.latestDetail;
  if (phase === 'starting') return 'Waiting for the disk to confirm this start.';
  if (search.waitingFor !== undefined) return rejection ?? search.waitingFor;
  const election = cluster?.election();
  if (election === undefined || election.role === 'outsider') {
    return rejection ?? 'No connected member of the control group knows a coordinator.';
  }
  return missingCoordinator(
    election,
    (voter) => voter === identity.nodeId || links.isConnected(voter),
  );
}
