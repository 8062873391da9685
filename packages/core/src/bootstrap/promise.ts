import type { FoundingPlan } from '@memgrid/protocol';

/**
 * Why a node that promised `held` may not promise `offered` as well; undefined when it may.
 *
 * A plan is founded only when every member promised it, so a promise may be given up only when
 * that makes the held plan impossible for ever, or its own founder has given it up.
 */
export function problemWithPromise(
  held: FoundingPlan | undefined,
  offered: FoundingPlan,
): string | undefined {
  if (held === undefined || held.clusterId === offered.clusterId) return undefined;
  if (held.founder === offered.founder) {
    // The founder wrote the later attempt to its disk first, so it will never found the earlier.
    if (offered.attempt > held.attempt) return undefined;
    return `Attempt ${offered.attempt} comes after attempt ${held.attempt} of the same founder.`;
  }
  // Its founder is asked as well. If that one promises `offered` it never completes `held`; if it has
  // founded `held` it refuses, and `offered` is impossible. Either way there is one cluster at most.
  if (offered.members.some((member) => member.nodeId === held.founder)) return undefined;
  // Everybody who promised `held`, apart from its founder, has to promise `offered` too, and so
  // will refuse to be founded by `held`. Its founder alone must then be no quorum of it.
  const offeredIds = new Set(offered.members.map((member) => member.nodeId));
  const moved = held.members.every(
    (member) => member.nodeId === held.founder || offeredIds.has(member.nodeId),
  );
  const others = held.config.voters.filter((voter) => voter !== held.founder);
  const founderVotes = held.config.voters.length - others.length;
  const founderIsQuorum = founderVotes > held.config.voters.length / 2;
  if (moved && !founderIsQuorum) return undefined;
  return `This node promised to found with ${held.founder} (attempt ${held.attempt}).`;
}
