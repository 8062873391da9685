import { WireError, type ClusterId } from '@memgrid/protocol';
import { decodeControlImage } from '../control/control-image.ts';
import type { Snapshot } from '../election/election-io.ts';

/** What a leader sends may be junk, or of a version that this one cannot read. */
export function isOwnSnapshot({ index, state }: Snapshot, clusterId: ClusterId): boolean {
  try {
    const image = decodeControlImage(state);
    return image.clusterId === clusterId && image.index === index;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}
