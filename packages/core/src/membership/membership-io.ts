import type {
  Generation,
  Incarnation,
  Liveness,
  MemberMeta,
  MembershipMessage,
  MemberStatus,
  NodeId,
} from '@memgrid/protocol';

/** What happens to the membership machine. */
export type MembershipInput =
  /** From an authenticated peer: `from` is the connection's owner, never a name in the payload. */
  | {
      readonly kind: 'message';
      readonly from: NodeId;
      readonly generation: Generation;
      readonly body: MembershipMessage;
    }
  /** A control link to this peer works now. Contact: exchange tables at once. */
  | {
      readonly kind: 'linkUp';
      readonly peer: NodeId;
      readonly generation: Generation;
      readonly address: string;
    }
  /** The control link went away without a goodbye. Not yet evidence of death. */
  | { readonly kind: 'linkDown'; readonly peer: NodeId; readonly generation: Generation }
  /** Our own dial to this member's address was refused by its operating system. */
  | { readonly kind: 'dialRefused'; readonly peer: NodeId }
  /** A peer told us that it knows a later generation of `peer` (or of ourselves). */
  | { readonly kind: 'newGeneration'; readonly peer: NodeId; readonly generation: Generation }
  /** This process stood still for so long just now. */
  | { readonly kind: 'stalled'; readonly stalledMs: number }
  /** What this node says about itself changed. */
  | { readonly kind: 'meta'; readonly meta: MemberMeta }
  /** The committed registry: who must never be forgotten, and who is gone for good. */
  | {
      readonly kind: 'registry';
      readonly members: readonly {
        readonly nodeId: NodeId;
        readonly generation: Generation;
        readonly address: string;
        readonly status: MemberStatus;
      }[];
    }
  /** Say goodbye: gossip our own signed leave. */
  | { readonly kind: 'leave' };

/** What the membership machine wants done. */
export type MembershipEffect =
  /** Best effort. `address` is where to dial when there is no link. */
  | {
      readonly kind: 'send';
      readonly to: NodeId;
      readonly address: string;
      readonly body: MembershipMessage;
    }
  /** Make contact with a member that may be dead (never forget): dial when there is no link. */
  | { readonly kind: 'contact'; readonly peer: NodeId; readonly address: string }
  /** The outcome of a direct probe: feeds the reachability rows. */
  | { readonly kind: 'direct'; readonly peer: NodeId; readonly reached: boolean }
  | { readonly kind: 'event'; readonly event: MembershipEvent };

/** What became known. `silentMs` is the time since anything was last heard from the member. */
export type MembershipEvent =
  | {
      readonly name: 'member.joined';
      readonly member: NodeId;
      readonly generation: Generation;
      readonly address: string;
    }
  | { readonly name: 'member.suspected'; readonly member: NodeId; readonly by: NodeId }
  | {
      readonly name: 'member.recovered';
      readonly member: NodeId;
      readonly incarnation: Incarnation;
    }
  | {
      readonly name: 'member.died';
      readonly member: NodeId;
      readonly generation: Generation;
      readonly by: NodeId;
      readonly evidence: 'silence' | 'refused' | 'gossip';
      readonly silentMs: number;
    }
  | { readonly name: 'member.restarted'; readonly member: NodeId; readonly generation: Generation }
  | { readonly name: 'member.left'; readonly member: NodeId }
  | { readonly name: 'member.flapping'; readonly member: NodeId; readonly penalty: number }
  | { readonly name: 'member.settled'; readonly member: NodeId }
  /** The table is full: `refused` stays unknown. Told once until there is room again. */
  | { readonly name: 'members.full'; readonly refused: NodeId; readonly membersMax: number }
  | { readonly name: 'member.leaveForged'; readonly member: NodeId; readonly by: NodeId }
  /** This node was accused and answers with a higher incarnation. */
  | {
      readonly name: 'self.accused';
      readonly by: NodeId;
      readonly incarnation: Incarnation;
      readonly stalledMs: number;
    }
  | { readonly name: 'self.healthChanged'; readonly score: number }
  /** Somebody knows a later generation of this node: a cloned or restored directory. */
  | { readonly name: 'self.superseded'; readonly generation: Generation };

/** A member as this node sees it. */
export interface MemberView {
  readonly nodeId: NodeId;
  readonly generation: Generation;
  readonly incarnation: Incarnation;
  readonly liveness: Liveness;
  readonly meta: MemberMeta;
  /** Flaps too often to be trusted with a role. */
  readonly unstable: boolean;
  /** Since when (this node's monotonic clock) the liveness is what it is. */
  readonly sinceMs: number;
}
