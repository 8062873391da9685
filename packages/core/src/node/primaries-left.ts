import type { NodeId, ShardConfig } from '@memgrid/protocol';
import { servingSet } from '../control/shard-sets.ts';
import type { MemberView } from '../membership/membership-io.ts';
import type { ControlView } from '../node-status.ts';
import { proposalsOf, type Decision } from '../planner/decision.ts';
import type { PlannerProposal } from '../planner/planner-io.ts';

/**
 * What a leaving node proposes, so that nobody has to find out that its primaries are gone: each of
 * its shards to another of those who serve it, spread evenly. A shard that nobody else serves stays.
 *
 * Only the very configurations that this node sees are changed: what the coordinator decided
 * meanwhile stands.
 */
export function handOverPrimaries(
  control: ControlView,
  self: NodeId,
  views: readonly MemberView[],
): readonly PlannerProposal[] {
  const generations = presentIn(control, views);
  const taken = new Map<NodeId, number>();
  const decisions: Decision[] = [];
  for (const config of primariesOf(control, self)) {
    const successor = servingSet(config)
      .filter((node) => node !== self && generations.has(node))
      .toSorted((a, b) => (taken.get(a) ?? 0) - (taken.get(b) ?? 0))[0];
    const primaryGeneration = successor === undefined ? undefined : generations.get(successor);
    if (successor === undefined || primaryGeneration === undefined) continue;
    taken.set(successor, (taken.get(successor) ?? 0) + 1);
    decisions.push({
      config: { ...config, epoch: config.epoch + 1, primary: successor, primaryGeneration },
      cause: { name: 'shard.failedOver', reason: 'draining' },
    });
  }
  return proposalsOf(decisions);
}

export function primariesOf(control: ControlView, self: NodeId): readonly ShardConfig[] {
  return control.shards.filter(({ primary }) => primary === self);
}

/** Members that are alive in the very generation that is registered: only that one may serve. */
function presentIn(
  control: ControlView,
  views: readonly MemberView[],
): ReadonlyMap<NodeId, ShardConfig['primaryGeneration']> {
  const alive = new Map(
    views.filter(({ liveness }) => liveness === 'alive').map((view) => [view.nodeId, view]),
  );
  return new Map(
    control.members
      .filter(({ nodeId, generation }) => alive.get(nodeId)?.generation === generation)
      .map(({ nodeId, generation }) => [nodeId, generation]),
  );
}
