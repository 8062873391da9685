import type { NodeId } from '@memgrid/protocol';
import type { RouteNode } from '../gateway/gateway-io.ts';
import type { MemberView } from '../membership/membership-io.ts';
import type { RegisteredMember } from '../node-status.ts';

/**
 * The members that may hold shards, with gossip's word on whether they are up. One that is only
 * suspected counts as up: it is asked until it is known to be dead.
 */
export function routeNodes(
  self: NodeId,
  registered: readonly RegisteredMember[],
  views: readonly MemberView[],
): readonly RouteNode[] {
  const seen = new Map(views.map((view) => [view.nodeId, view]));
  return registered
    .filter(({ status }) => status !== 'left' && status !== 'expelled')
    .map((member) => {
      const { nodeId } = member;
      const view = seen.get(nodeId);
      return {
        nodeId,
        address: view?.meta.address ?? member.address,
        zone: view?.meta.zone ?? member.zone,
        alive: nodeId === self || view?.liveness === 'alive' || view?.liveness === 'suspect',
      };
    });
}
