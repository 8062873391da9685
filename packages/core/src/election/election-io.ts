import type {
  ElectionMessage,
  GroupConfig,
  GroupEpoch,
  LogEntry,
  LogIndex,
  NodeId,
  ProposeOutcome,
  Term,
} from '@memgrid/protocol';
import type { RequestId } from '../request-id.ts';
import type { StoreOperation, Ticket } from '../store-operation.ts';

/** The control state as of an index, with the group's configuration at that point. */
export interface Snapshot {
  readonly index: LogIndex;
  readonly term: Term;
  readonly config: GroupConfig;
  readonly state: Uint8Array;
}

/** What the disk gave back at start; see `recoverElection`. */
export interface ElectionRecord {
  readonly groupEpoch: GroupEpoch;
  readonly term: Term;
  readonly vote: NodeId | undefined;
  readonly snapshot: Snapshot;
  /** Contiguous from `snapshot.index + 1` (or a little earlier). */
  readonly entries: readonly LogEntry[];
}

export type ElectionInput =
  | { readonly kind: 'message'; readonly from: NodeId; readonly body: ElectionMessage }
  | { readonly kind: 'stored'; readonly ticket: Ticket }
  /** Answered with `proposed` exactly once. Forwarded to the leader when this node is not. */
  | { readonly kind: 'propose'; readonly request: RequestId; readonly command: Uint8Array }
  /** Leader only: moves to this configuration through joint consensus. Answered with `proposed`. */
  | {
      readonly kind: 'reconfigure';
      readonly request: RequestId;
      readonly voters: readonly NodeId[];
      readonly learners: readonly NodeId[];
    }
  /** Answered with `readable` once a majority confirmed the leader after this moment. */
  | { readonly kind: 'readIndex'; readonly request: RequestId }
  /** Leader only. Answered with `transferred`. */
  | { readonly kind: 'transfer'; readonly request: RequestId; readonly to: NodeId | undefined }
  /** The machine may drop the log up to `index`; `state` is the control state there. */
  | { readonly kind: 'compact'; readonly index: LogIndex; readonly state: Uint8Array }
  /** Gossip knows this member dead: when it leads, do not wait for its lease. A hint only. */
  | { readonly kind: 'peerDied'; readonly peer: NodeId }
  /** The link to this peer was lost or made anew: whatever was in flight may be gone. */
  | { readonly kind: 'peerReset'; readonly peer: NodeId }
  /** The process stood still: nobody may be blamed for what was not read meanwhile. */
  | { readonly kind: 'stalled'; readonly stalledMs: number }
  /** Stop leading and never campaign again in this process. */
  | { readonly kind: 'retire' };

export type ElectionEffect =
  | { readonly kind: 'send'; readonly to: NodeId; readonly body: ElectionMessage }
  | {
      readonly kind: 'store';
      readonly ticket: Ticket;
      readonly operations: readonly StoreOperation[];
      readonly durable: boolean;
    }
  /** Newly committed entries, in order, each exactly once per process. Includes blank and config. */
  | { readonly kind: 'committed'; readonly entries: readonly LogEntry[] }
  /** The log was replaced by a leader's snapshot: the control state starts again from it. */
  | { readonly kind: 'restored'; readonly snapshot: Snapshot }
  | {
      readonly kind: 'proposed';
      readonly request: RequestId;
      readonly outcome: ProposeOutcome;
    }
  /** `index` undefined: nobody leads, or leadership was lost meanwhile. */
  | {
      readonly kind: 'readable';
      readonly request: RequestId;
      readonly index: LogIndex | undefined;
    }
  | {
      readonly kind: 'transferred';
      readonly request: RequestId;
      readonly to: NodeId | undefined;
      readonly problem: 'notLeader' | 'noCandidate' | 'notVoter' | 'timeout' | undefined;
    }
  | { readonly kind: 'event'; readonly event: ElectionEvent };

export type ElectionEvent =
  | { readonly name: 'election.started'; readonly term: Term; readonly reason: string }
  | { readonly name: 'coordinator.elected'; readonly term: Term; readonly leader: NodeId }
  | { readonly name: 'coordinator.lost'; readonly term: Term; readonly leader: NodeId }
  | {
      readonly name: 'coordinator.steppedDown';
      readonly term: Term;
      readonly reason: 'quorumLost' | 'higherTerm' | 'removed' | 'transferred' | 'retired';
    }
  | { readonly name: 'group.changed'; readonly index: LogIndex; readonly config: GroupConfig }
  | { readonly name: 'snapshot.installed'; readonly index: LogIndex; readonly from: NodeId }
  /** A leader sent a snapshot that this node cannot read. Nothing was changed by it. */
  | { readonly name: 'snapshot.refused'; readonly index: LogIndex; readonly from: NodeId }
  | { readonly name: 'log.compacted'; readonly index: LogIndex }
  /**
   * A leader's append contradicts an entry that is committed here. It was refused: either that
   * node is not what it claims to be, or a promise was broken somewhere (a copied directory).
   */
  | { readonly name: 'log.conflict'; readonly index: LogIndex; readonly from: NodeId };

/** What the machine knows, for status pages, autopilot and checkers. */
export interface ElectionStatus {
  readonly role: 'follower' | 'preCandidate' | 'candidate' | 'leader' | 'learner' | 'outsider';
  readonly term: Term;
  readonly vote: NodeId | undefined;
  readonly leader: NodeId | undefined;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly lastIndex: LogIndex;
  readonly firstIndex: LogIndex;
  readonly config: GroupConfig;
  /** The index of the entry (or snapshot) that set `config`. */
  readonly configIndex: LogIndex;
  readonly transferTarget: NodeId | undefined;
}

/** A leader's view of one other member of the group. */
export interface ProgressView {
  readonly peer: NodeId;
  readonly match: LogIndex;
  /** How long ago anything was heard from it. */
  readonly lastContactMs: number;
  readonly state: 'probe' | 'replicate' | 'snapshot';
}
