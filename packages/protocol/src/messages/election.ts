import type { GroupEpoch, LogIndex, NodeId, Term } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { countField, groupEpochField, logIndexField, termField } from '../wire/counters.ts';
import type { Field } from '../wire/field.ts';
import { ascending, bool, bytes, list, optional } from '../wire/field.ts';
import { nodeIdField } from '../wire/id-field.ts';
import { struct, union } from '../wire/struct.ts';
import { messageFields } from './message-fields.ts';

/**
 * Who votes and who only listens. While a change is under way both `voters` (new) and
 * `votersOutgoing` (old) must agree: joint consensus, Raft paper section 6.
 */
export interface GroupConfig {
  /** Sorted, distinct. */
  readonly voters: readonly NodeId[];
  /** Sorted; empty outside a joint configuration. */
  readonly votersOutgoing: readonly NodeId[];
  /** Sorted; never also a voter. */
  readonly learners: readonly NodeId[];
}

export type LogPayload =
  /** A new leader's first entry: commits what earlier terms left behind. */
  | { readonly kind: 'blank' }
  | { readonly kind: 'config'; readonly config: GroupConfig }
  /** An encoded `ControlCommand`; the election machine never looks inside. */
  | { readonly kind: 'command'; readonly command: Uint8Array };

export interface LogEntry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly payload: LogPayload;
}

interface RaftHeader {
  readonly groupEpoch: GroupEpoch;
  readonly term: Term;
}

/** Asks whether an election at `term` could be won; changes nothing at the receiver. */
export interface PreVote extends RaftHeader {
  readonly type: 'preVote';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

/** `term` is the term asked about when granted, and the receiver's own term when refused. */
export interface PreVoteResp extends RaftHeader {
  readonly type: 'preVoteResp';
  readonly granted: boolean;
}

export interface Vote extends RaftHeader {
  readonly type: 'vote';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** Set when the old leader asked for this election: leases do not apply. */
  readonly transfer: boolean;
}

export interface VoteResp extends RaftHeader {
  readonly type: 'voteResp';
  readonly granted: boolean;
}

export interface Append extends RaftHeader {
  readonly type: 'append';
  readonly previousIndex: LogIndex;
  readonly previousTerm: Term;
  readonly commit: LogIndex;
  readonly entries: readonly LogEntry[];
}

export interface AppendResp extends RaftHeader {
  readonly type: 'appendResp';
  readonly accepted: boolean;
  /** Accepted: the last index known to match and be durable. Refused: `previousIndex`. */
  readonly index: LogIndex;
  /** Refused: where the leader should look next. */
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
}

export interface Heartbeat extends RaftHeader {
  readonly type: 'heartbeat';
  readonly commit: LogIndex;
  /** Counts read rounds: the response echoes it. */
  readonly readRound: number;
}

export interface HeartbeatResp extends RaftHeader {
  readonly type: 'heartbeatResp';
  readonly readRound: number;
}

/** One slice of a snapshot: the control state as of `lastIndex`. */
export interface SnapshotChunk extends RaftHeader {
  readonly type: 'snapshotChunk';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  readonly config: GroupConfig;
  readonly offset: number;
  readonly totalBytes: number;
  readonly bytes: Uint8Array;
}

/** `nextOffset` is where to go on; `totalBytes` of the snapshot once it is durable. */
export interface SnapshotResp extends RaftHeader {
  readonly type: 'snapshotResp';
  readonly lastIndex: LogIndex;
  readonly nextOffset: number;
  readonly installed: boolean;
}

/** A follower asks for an index that makes a local read linearizable. */
export interface ReadIndex extends RaftHeader {
  readonly type: 'readIndex';
  readonly request: number;
}

export interface ReadIndexResp extends RaftHeader {
  readonly type: 'readIndexResp';
  readonly request: number;
  /** Undefined when the receiver does not lead. */
  readonly index: LogIndex | undefined;
}

/** The leader hands over: campaign now. */
export interface TimeoutNow extends RaftHeader {
  readonly type: 'timeoutNow';
}

/** A node that does not lead passes a command on. */
export interface Propose extends RaftHeader {
  readonly type: 'propose';
  readonly request: number;
  readonly command: Uint8Array;
}

export type ProposeOutcome =
  | { readonly kind: 'committed'; readonly index: LogIndex }
  /** Certainly not applied; `leader` is where to try next, when known. */
  | { readonly kind: 'notLeader'; readonly leader: NodeId | undefined }
  /** Certainly not applied: too much is waiting already. */
  | { readonly kind: 'overloaded' }
  /** Leadership was lost before the entry committed: maybe applied. */
  | { readonly kind: 'unknown' };

export interface ProposeResp extends RaftHeader {
  readonly type: 'proposeResp';
  readonly request: number;
  readonly outcome: ProposeOutcome;
}

export type ElectionMessage =
  | PreVote
  | PreVoteResp
  | Vote
  | VoteResp
  | Append
  | AppendResp
  | Heartbeat
  | HeartbeatResp
  | SnapshotChunk
  | SnapshotResp
  | ReadIndex
  | ReadIndexResp
  | TimeoutNow
  | Propose
  | ProposeResp;

export const groupConfigField: Field<GroupConfig> = struct<GroupConfig>({
  voters: ascending(nodeIdField, LIMITS.votersMax),
  votersOutgoing: ascending(nodeIdField, LIMITS.votersMax),
  learners: ascending(nodeIdField, LIMITS.learnersMax),
});

const command = bytes(1, LIMITS.commandBytesMax);

export const logPayloadField: Field<LogPayload> = union<LogPayload>({
  blank: { number: 1, fields: {} },
  config: { number: 2, fields: { config: groupConfigField } },
  command: { number: 3, fields: { command } },
});

export const logEntryField: Field<LogEntry> = struct<LogEntry>({
  index: logIndexField,
  term: termField,
  payload: logPayloadField,
});

const proposeOutcomeField: Field<ProposeOutcome> = union<ProposeOutcome>({
  committed: { number: 1, fields: { index: logIndexField } },
  notLeader: { number: 2, fields: { leader: optional(nodeIdField) } },
  overloaded: { number: 3, fields: {} },
  unknown: { number: 4, fields: {} },
});

const header = { groupEpoch: groupEpochField, term: termField };
const last = { lastIndex: logIndexField, lastTerm: termField };

export const electionFields = messageFields<ElectionMessage>({
  preVote: { ...header, ...last },
  preVoteResp: { ...header, granted: bool },
  vote: { ...header, ...last, transfer: bool },
  voteResp: { ...header, granted: bool },
  append: {
    ...header,
    previousIndex: logIndexField,
    previousTerm: termField,
    commit: logIndexField,
    entries: list(logEntryField, LIMITS.appendEntriesMax),
  },
  appendResp: {
    ...header,
    accepted: bool,
    index: logIndexField,
    hintIndex: logIndexField,
    hintTerm: termField,
  },
  heartbeat: { ...header, commit: logIndexField, readRound: countField },
  heartbeatResp: { ...header, readRound: countField },
  snapshotChunk: {
    ...header,
    ...last,
    config: groupConfigField,
    offset: countField,
    totalBytes: countField,
    bytes: bytes(0, LIMITS.snapshotChunkBytesMax),
  },
  snapshotResp: { ...header, lastIndex: logIndexField, nextOffset: countField, installed: bool },
  readIndex: { ...header, request: countField },
  readIndexResp: { ...header, request: countField, index: optional(logIndexField) },
  timeoutNow: { ...header },
  propose: { ...header, request: countField, command },
  proposeResp: { ...header, request: countField, outcome: proposeOutcomeField },
});
