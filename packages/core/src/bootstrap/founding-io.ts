import type {
  Discover,
  FoundCommit,
  FoundingPlan,
  FoundRequest,
  FoundResp,
  MemberRecord,
  NodeId,
} from '@memgrid/protocol';
import type { ControlEvent } from '../node-event.ts';
import type { Ticket } from '../store-operation.ts';

export type FoundingMessage = Discover | FoundRequest | FoundResp | FoundCommit;

export type FoundingInput =
  | { readonly kind: 'message'; readonly from: NodeId; readonly body: FoundingMessage }
  /** A peer without a cluster is connected; `address` is where it accepts peers. */
  | { readonly kind: 'peerUp'; readonly peer: NodeId; readonly address: string }
  | { readonly kind: 'peerDown'; readonly peer: NodeId }
  /** Somebody answered at a configured seed. */
  | { readonly kind: 'seedReached'; readonly seed: string }
  /** The connection to whoever answered there is gone. */
  | { readonly kind: 'seedLost'; readonly seed: string }
  | { readonly kind: 'stored'; readonly ticket: Ticket };

export type FoundingEffect =
  | { readonly kind: 'send'; readonly to: NodeId; readonly body: FoundingMessage }
  /** Make contact with a node that another one told about. */
  | { readonly kind: 'contact'; readonly peer: NodeId; readonly address: string }
  /** The connection to this peer is dead or half open: make a new one. */
  | { readonly kind: 'reconnect'; readonly peer: NodeId; readonly address: string }
  /** Durably remember the promise (and the attempt); answered with `stored`. */
  | { readonly kind: 'storePromise'; readonly ticket: Ticket; readonly promise: FoundingPromise }
  /** The cluster exists; this node is one of its founders. Last effect of this machine. */
  | { readonly kind: 'founded'; readonly plan: FoundingPlan }
  | { readonly kind: 'event'; readonly event: ControlEvent };

/** What outlives a crash: what this node promised, and how many plans it made itself. */
export interface FoundingPromise {
  readonly plan: FoundingPlan | undefined;
  readonly attempt: number;
}

export interface FoundingOptions {
  /** What this node would register. */
  readonly self: MemberRecord;
  readonly seeds: readonly string[];
  readonly expect: number;
  readonly votersMax: number | undefined;
  /** Found on disk. */
  readonly promise: FoundingPromise | undefined;
}

/** Every number of the founding, with the reason beside it. */
export const FOUNDING = {
  /** How often everybody tells everybody whom it knows, until there is a cluster. */
  discoverIntervalMs: 500,
  /** The set of nodes must stand still for so long, unless it has exactly the expected size. */
  settleMs: 1_000,
  /** Unanswered requests are repeated this often … */
  requestIntervalMs: 1_000,
  /** … and after this long with a changed set of nodes a new plan is made. */
  attemptMsMin: 3_000,
  /** A connected node that said nothing for so long (six times) is behind a dead connection. */
  silentMsMax: 3_000,
  /** How often the wait is explained in an event. */
  explainIntervalMs: 5_000,
} as const;
