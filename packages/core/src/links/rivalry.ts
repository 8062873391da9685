import type { Generation, Hello, NodeId, Reject } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { PeerLink } from './link-state.ts';
import { LINKS } from './links-io.ts';

/**
 * Why a newcomer may not take the place of the link that its peer has already: it is a copy of a
 * living node, or no better than what is there. Undefined when it may.
 */
export function problemWithNewcomer(
  now: Instant,
  { rival, hello, self }: { rival: PeerLink; hello: Hello; self: NodeId },
): Reject | undefined {
  if (!isFresh(now, rival)) return undefined;
  if (rival.generation < hello.generation) {
    // Its old process still speaks to us, so this one is a copy. If that one was only slow to
    // die, the newcomer gets in at one of its next tries.
    return {
      type: 'reject',
      reason: 'identityInUse',
      detail: `${hello.nodeId} is still connected as generation ${rival.generation}.`,
    };
  }
  const rivalFromLower = rival.dialledByUs === self < hello.nodeId;
  const newcomerFromLower = hello.nodeId < self;
  if (!rivalFromLower || newcomerFromLower) return undefined;
  const detail = 'There is a better connection between us already.';
  return { type: 'reject', reason: 'duplicate', detail };
}

/** Whether a link that we dialled should give way to the one that the peer dialled. */
export function isWorseThan(
  now: Instant,
  rival: PeerLink,
  made: { peer: NodeId; generation: Generation; self: NodeId },
): boolean {
  if (rival.generation < made.generation || !isFresh(now, rival)) return false;
  // The connection that the lower id dialled survives, on both sides.
  return !rival.dialledByUs && made.peer < made.self;
}

/** A link over which nothing came for a while may be half open: anything is better. */
function isFresh(now: Instant, link: PeerLink): boolean {
  return now - link.heardAt <= LINKS.freshMs;
}
