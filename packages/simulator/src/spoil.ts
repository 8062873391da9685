import type { Random } from '@memgrid/core';
import { LIMITS } from '@memgrid/protocol';
import type { WireFrame } from './frame-codec.ts';
import type { Spoilage } from './path-conditions.ts';

/** The frames that arrive in place of `frame`, given what arrived and was held back before. */
export interface Spoilt {
  readonly frames: readonly WireFrame[];
  readonly heldBack: WireFrame | undefined;
}

/**
 * Replaces a frame by what a broken peer or middle box might deliver. A receiver must count and
 * refuse all of it, and its state must not change.
 */
export function spoil(frame: WireFrame, how: Spoilage, random: Random): Spoilt {
  switch (how) {
    case 'duplicated':
      return { frames: [frame, frame], heldBack: undefined };
    case 'reordered':
      return { frames: [], heldBack: frame };
    case 'garbage':
      return whole(random.bytes(1 + random.below(64)));
    case 'truncated': {
      const bytes = frame.kind === 'bytes' ? frame.bytes : random.bytes(16);
      return whole(bytes.subarray(0, random.below(bytes.length)));
    }
    case 'oversized':
      return whole(new Uint8Array(LIMITS.bulkFrameBytesMax + 1));
  }
}

function whole(bytes: Uint8Array): Spoilt {
  return { frames: [{ kind: 'bytes', bytes }], heldBack: undefined };
}
