import { groupEpoch, logIndex, term, type FoundingPlan } from '@memgrid/protocol';
import type { ControlImage } from '../control/control-state.ts';

/** The control group's epoch until a forced recovery raises it. */
export const FOUNDING_EPOCH = groupEpoch(1);

/** The first control state of a cluster: derived from the plan alone, so equal at every founder. */
export function foundingImage(plan: FoundingPlan): ControlImage {
  return {
    clusterId: plan.clusterId,
    groupEpoch: FOUNDING_EPOCH,
    index: logIndex(1),
    term: term(1),
    members: plan.members.map((member) => ({ ...member, status: 'normal' as const })),
    targetVoters: plan.targetVoters,
    features: [],
    level: 'normal',
    // The coordinator's planner creates them, so that they lie on members that are there.
    shards: undefined,
    schemas: undefined,
  };
}
