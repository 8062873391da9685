import type { NodeId, ReachabilityMessage } from '@memgrid/protocol';

export type ReachabilityInput =
  | { readonly kind: 'message'; readonly from: NodeId; readonly body: ReachabilityMessage }
  /** Anything at all arrived directly from this peer. */
  | { readonly kind: 'heard'; readonly peer: NodeId }
  /** A direct probe of this peer failed (whatever its helpers said), or its link cannot be made. */
  | { readonly kind: 'missed'; readonly peer: NodeId }
  /** Who is known and not left, without this node. */
  | { readonly kind: 'members'; readonly members: readonly NodeId[] };

export type ReachabilityEffect =
  | { readonly kind: 'send'; readonly to: NodeId; readonly body: ReachabilityMessage }
  | { readonly kind: 'event'; readonly event: ReachabilityEvent };

export type ReachabilityEvent =
  | { readonly name: 'reach.lost'; readonly peer: NodeId; readonly direction: 'to' | 'from' }
  | { readonly name: 'reach.restored'; readonly peer: NodeId; readonly direction: 'to' | 'from' };
