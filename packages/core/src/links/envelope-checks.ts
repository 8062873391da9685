import type { Envelope, HandshakeSelf } from '@memgrid/protocol';
import type { LinkEvent } from '../node-event.ts';
import type { PeerLink } from './link-state.ts';

export type RefusalReason = Extract<LinkEvent, { name: 'frame.refused' }>['reason'];

/** Why a message that came over `link` may not be believed; undefined when it may. */
export function problemWithEnvelope(
  link: PeerLink,
  envelope: Envelope,
  self: HandshakeSelf,
): { reason: RefusalReason; detail: string } | undefined {
  const own32 = cluster32(self.clusterId);
  if (envelope.source !== link.peer || envelope.sourceGeneration !== link.generation) {
    const detail = `A message from ${envelope.source} came over the link of ${link.peer}.`;
    return { reason: 'wrongSource', detail };
  }
  if (own32 !== 0 && envelope.cluster32 !== 0 && envelope.cluster32 !== own32) {
    const detail = `${link.peer} speaks for another cluster (${envelope.cluster32}).`;
    return { reason: 'wrongCluster', detail };
  }
  if (envelope.targetGeneration !== self.generation) {
    const detail = `${link.peer} means generation ${envelope.targetGeneration} of this node.`;
    return { reason: 'wrongGeneration', detail };
  }
  if (envelope.sequence <= link.receiveSequence) {
    const detail = `Message ${envelope.sequence} after ${link.receiveSequence} from ${link.peer}.`;
    return { reason: 'outOfOrder', detail };
  }
  return undefined;
}

/** The first 32 bits of a cluster id, as they travel in every envelope; 0 for none. */
export function cluster32(clusterId: string | undefined): number {
  return clusterId === undefined ? 0 : Number.parseInt(clusterId.slice(0, 8), 16);
}
