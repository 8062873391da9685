import type { MemberMeta, NodeId } from '@memgrid/protocol';
import type { MemberView } from '../membership/membership-io.ts';

/** Who leads the control group according to the living member that speaks of the latest term. */
export function gossipedCoordinator(members: readonly MemberView[]): NodeId | undefined {
  let best: MemberMeta | undefined;
  for (const { liveness, meta } of members) {
    if (liveness !== 'alive' || meta.raftLeader === undefined) continue;
    if (best === undefined || meta.raftTerm > best.raftTerm) best = meta;
  }
  return best?.raftLeader;
}
