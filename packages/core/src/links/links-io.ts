import type {
  Channel,
  ClusterId,
  Envelope,
  Generation,
  GroupEpoch,
  Message,
  NodeId,
  RejectReason,
} from '@memgrid/protocol';
import type { LinkEvent } from '../node-event.ts';
import type { DialProblem, LinkId } from '../node-io.ts';

export type LinksInput =
  | { readonly kind: 'linkAccepted'; readonly link: LinkId; readonly remote: string }
  | { readonly kind: 'linkOpened'; readonly link: LinkId }
  | { readonly kind: 'linkFailed'; readonly link: LinkId; readonly problem: DialProblem }
  | { readonly kind: 'linkClosed'; readonly link: LinkId }
  | { readonly kind: 'received'; readonly link: LinkId; readonly envelope: Envelope }
  | { readonly kind: 'garbage'; readonly link: LinkId; readonly problem: string }
  | { readonly kind: 'unknownMessage'; readonly link: LinkId; readonly messageType: number }
  | { readonly kind: 'pressure'; readonly link: LinkId; readonly bufferedBytes: number }
  /** Sends to a peer, dialling `address` first when there is no link. Best effort. */
  | {
      readonly kind: 'deliver';
      readonly to: NodeId;
      readonly address: string;
      readonly message: Message;
    }
  /** Makes contact with whoever is at `address`; `peer` is who is expected there, if anybody. */
  | { readonly kind: 'connect'; readonly address: string; readonly peer: NodeId | undefined }
  /** Gives a link up that may be half open; the next delivery dials anew. */
  | { readonly kind: 'disconnect'; readonly peer: NodeId; readonly reason: string }
  /** This node now belongs to a cluster, or to a recovered control group. */
  | {
      readonly kind: 'self';
      readonly clusterId: ClusterId | undefined;
      readonly groupEpoch: GroupEpoch;
    }
  /** Who may never connect again. */
  | { readonly kind: 'expelled'; readonly nodes: readonly NodeId[] }
  /** Says goodbye on every link. */
  | { readonly kind: 'close'; readonly reason: string };

export type LinksEffect =
  | {
      readonly kind: 'dial';
      readonly link: LinkId;
      readonly address: string;
      readonly channel: Channel;
    }
  | { readonly kind: 'hangUp'; readonly link: LinkId }
  /** The composition wraps this into an envelope: only it knows the hybrid clock. */
  | {
      readonly kind: 'transmit';
      readonly link: LinkId;
      readonly version: number;
      readonly targetGeneration: Generation;
      readonly sequence: number;
      readonly message: Message;
    }
  | {
      readonly kind: 'peerUp';
      readonly peer: NodeId;
      readonly generation: Generation;
      readonly address: string;
      readonly clusterId: ClusterId | undefined;
      readonly groupEpoch: GroupEpoch;
    }
  | { readonly kind: 'peerDown'; readonly peer: NodeId; readonly generation: Generation }
  | { readonly kind: 'dialRefused'; readonly peer: NodeId }
  | { readonly kind: 'dialFailed'; readonly peer: NodeId }
  /** Somebody answered at this address; it may be this node itself, or a peer that did not say who. */
  | { readonly kind: 'reached'; readonly address: string; readonly peer: NodeId | undefined }
  | {
      readonly kind: 'rejected';
      readonly address: string;
      readonly reason: RejectReason;
      readonly detail: string;
    }
  | {
      readonly kind: 'message';
      readonly from: NodeId;
      readonly generation: Generation;
      readonly envelope: Envelope;
    }
  /** Somebody holds a later generation of `peer` than this node spoke to. */
  | { readonly kind: 'newGeneration'; readonly peer: NodeId; readonly generation: Generation }
  | { readonly kind: 'event'; readonly event: LinkEvent };

/** Every number of the links, with the reason beside it. */
export const LINKS = {
  /** A handshake that takes longer is given up: a paused process accepts but does not answer. */
  handshakeMsMax: 2_000,
  /**
   * A dial that nobody answers for so long is given up. The shell's own limit is shorter; this one
   * is for an answer of it that was lost, so that no address is left alone for ever.
   */
  dialMsMax: 10_000,
  /** Connections that have not introduced themselves yet. */
  strangersMax: 256,
  /** Messages kept for a peer while its link is being made. */
  waitingMessagesMax: 64,
  backoffMsMin: 100,
  backoffMsMax: 5_000,
  /** A link heard this recently is alive: a rival for it is refused. */
  freshMs: 2_000,
  /** A bigger message takes the bulk link or none: 5 ms of a link of 100 Mbit/s. */
  controlMessageBytesMax: 64 * 1024,
  /** Messages kept for a peer while its bulk link is being made. Each may have 3 MiB. */
  heavyMessagesMax: 4,
  /** Above this, gossip is dropped: it is stale by the time it arrives. */
  gossipBufferedBytesMax: 1024 * 1024,
  /** Above this, bulk waits: its sender will ask again. */
  bulkBufferedBytesMax: 4 * 1024 * 1024,
  /** Above this the peer does not read any more. */
  bufferedBytesMax: 16 * 1024 * 1024,
  /** Nodes whose newest start is remembered: more than a cluster has members, left ones included. */
  knownStartsMax: 16_384,
  /** Addresses whose failures are remembered. */
  backoffsMax: 4096,
} as const;
