import type { ClusterId, NodeId } from './ids.ts';

/** What a caller may do next. */
export type Retry =
  /** The same request fails again: change it, or the installation. */
  | 'never'
  /** The same node, at once. */
  | 'here'
  /** Another node, at once. */
  | 'elsewhere'
  /** Any node, after a pause that grows with each attempt. */
  | 'later';

/** What happened to the data. */
export type Applied = 'no' | 'unknown' | 'yes';

/** One row of the table. `summary` says what is wrong, `next` what a person can do about it. */
export interface ErrorCodeInfo {
  readonly wire: number;
  readonly retry: Retry;
  readonly applied: Applied;
  readonly summary: string;
  readonly next: string;
}

/**
 * Every error that a caller may see. Part of the wire contract: a number is never changed and
 * never used again, and neither `retry` nor `applied` of a code may become less careful.
 */
export const ERROR_CODES = {
  UNKNOWN_CODE: {
    wire: 0,
    retry: 'never',
    applied: 'unknown',
    summary: 'A newer node answered with an error that this version does not know.',
    next: 'Read the message; upgrade this process to understand the code.',
  },
  NOT_COORDINATOR: {
    wire: 1,
    retry: 'elsewhere',
    applied: 'no',
    summary: 'The node that was asked does not lead the control group.',
    next: 'Ask the node in `hint`, or any other when there is none.',
  },
  QUORUM_UNREACHABLE: {
    wire: 2,
    retry: 'later',
    applied: 'unknown',
    summary: 'Too few replicas or voters answered to be sure.',
    next: 'Retry with the same operation id; look for nodes that are down or cut off.',
  },
  SCHEMA_CONFLICT: {
    wire: 3,
    retry: 'never',
    applied: 'no',
    summary: 'The offered schema version may not follow the stored one.',
    next: 'Upgrade the client, or register the schema version that it uses.',
  },
  NOT_FOUNDED: {
    wire: 4,
    retry: 'later',
    applied: 'no',
    summary: 'The node belongs to no cluster yet: it waits for the others to found one with it.',
    next: 'Start the missing nodes, or correct `expect` and `seeds`.',
  },
  NO_COORDINATOR: {
    wire: 5,
    retry: 'later',
    applied: 'no',
    summary: 'No coordinator is known: an election is under way, or a majority of voters is away.',
    next: 'Retry after a few seconds; if it lasts, start enough voters for a majority.',
  },
  TIMEOUT: {
    wire: 6,
    retry: 'later',
    applied: 'unknown',
    summary: 'No answer came in time. The request may have been carried out.',
    next: 'Ask again with the same operation id, or look before repeating what is not idempotent.',
  },
  OVERLOADED: {
    wire: 7,
    retry: 'later',
    applied: 'no',
    summary: 'Too much is waiting already, so the request was refused at the door.',
    next: 'Send less, or add nodes.',
  },
  SHUTTING_DOWN: {
    wire: 8,
    retry: 'elsewhere',
    applied: 'no',
    summary: 'The node is leaving and takes nothing new.',
    next: 'Ask another node.',
  },
  WRONG_CLUSTER: {
    wire: 9,
    retry: 'never',
    applied: 'no',
    summary: 'Two different clusters were about to speak with each other.',
    next: 'Correct `seeds`, or start with an empty data directory to join the other cluster.',
  },
  PROTOCOL_MISMATCH: {
    wire: 10,
    retry: 'never',
    applied: 'no',
    summary: 'No protocol version is spoken by both sides.',
    next: 'Upgrade the older side; go through each release in between.',
  },
  IDENTITY_IN_USE: {
    wire: 11,
    retry: 'never',
    applied: 'no',
    summary: 'Another running process has the same node id: a data directory was copied.',
    next: 'Stop one of the two; start it again with an empty data directory.',
  },
  STALE_DIRECTORY: {
    wire: 12,
    retry: 'never',
    applied: 'no',
    summary: 'The data directory is older than what the cluster knows of this node.',
    next: 'It was restored or copied: start with an empty data directory.',
  },
  EXPELLED: {
    wire: 13,
    retry: 'never',
    applied: 'no',
    summary: 'The cluster expelled this node.',
    next: 'Start with an empty data directory to join as a new member.',
  },
  BAD_MESSAGE: {
    wire: 14,
    retry: 'never',
    applied: 'no',
    summary: 'A peer sent bytes that are no valid message.',
    next: 'Check what listens at that address, and both versions.',
  },
  BAD_REQUEST: {
    wire: 15,
    retry: 'never',
    applied: 'no',
    summary: 'The request itself is not valid.',
    next: 'Correct the request.',
  },
  BAD_CONFIGURATION: {
    wire: 16,
    retry: 'never',
    applied: 'no',
    summary: 'The configuration contradicts itself or breaks a limit.',
    next: 'Correct all of the listed problems; `memgrid config check` shows them.',
  },
  DIRECTORY_LOCKED: {
    wire: 17,
    retry: 'never',
    applied: 'no',
    summary: 'Another process uses the data directory.',
    next: 'Stop that process, or give each node a directory of its own.',
  },
  DIRECTORY_CORRUPT: {
    wire: 18,
    retry: 'never',
    applied: 'no',
    summary: 'The data directory cannot be read as one of memgrid.',
    next: 'Keep a copy for analysis, then start with an empty data directory.',
  },
  ADDRESS_IN_USE: {
    wire: 19,
    retry: 'never',
    applied: 'no',
    summary: 'Something listens on the configured address already.',
    next: 'Choose another port, or stop the other process.',
  },
  MEMBER_NOT_FOUND: {
    wire: 20,
    retry: 'never',
    applied: 'no',
    summary: 'No member has this id or name.',
    next: 'Compare with `memgrid members`.',
  },
  FEATURE_PROHIBITED: {
    wire: 21,
    retry: 'never',
    applied: 'no',
    summary: 'The cluster uses a feature that this binary does not have, so it may not join.',
    next: 'Upgrade this node to at least the version of the others.',
  },
  VERSION_CONFLICT: {
    wire: 22,
    retry: 'never',
    applied: 'no',
    summary:
      'The stored entry is not in the version, or not in the state, that the write asked for.',
    next: 'Read the entry, decide again, and write with the version that was read.',
  },
  NOT_PRIMARY: {
    wire: 23,
    retry: 'elsewhere',
    applied: 'no',
    summary: 'The node that was asked is not the active primary of the shard.',
    next: 'Ask the node in `hint`, or fetch the placement when there is none.',
  },
  NO_PLACEMENT: {
    wire: 24,
    retry: 'later',
    applied: 'no',
    summary: 'The cluster has no shards yet: it was founded a moment ago.',
    next: 'Retry after a second; if it lasts, look whether there is a coordinator.',
  },
  SHARD_UNAVAILABLE: {
    wire: 25,
    retry: 'later',
    applied: 'unknown',
    summary: 'The shard has no active primary, or too few of its replicas answer.',
    next: 'Retry with the same operation id; look for nodes that are down or cut off.',
  },
  OPERATION_EXPIRED: {
    wire: 26,
    retry: 'never',
    applied: 'unknown',
    summary:
      'The operation id is older than what the shard still remembers, so it is not carried out again.',
    next: 'Read the entry to see whether it was applied, then write with a new operation id.',
  },
  OPERATION_REUSED: {
    wire: 27,
    retry: 'never',
    applied: 'no',
    summary: 'The same operation id came before with another request.',
    next: 'Take a new operation id for each write; repeat one only with the same request.',
  },
  ENTRY_TOO_LARGE: {
    wire: 28,
    retry: 'never',
    applied: 'no',
    summary: 'The entry is larger than an entry may be.',
    next: 'Store less in one entry, or split it.',
  },
  INVALID_ENTRY: {
    wire: 29,
    retry: 'never',
    applied: 'no',
    summary: 'The entry breaks the rules of entries or of its schema.',
    next: 'Correct all of the listed problems.',
  },
  BAD_TOKEN: {
    wire: 30,
    retry: 'never',
    applied: 'no',
    summary: 'The session token is not one, was changed, or belongs to another cluster.',
    next: 'Go on without it, or take a new one from the session that it came from.',
  },
  BAD_CURSOR: {
    wire: 31,
    retry: 'never',
    applied: 'no',
    summary: 'The cursor or position is not one, was changed, or belongs to another list or watch.',
    next: 'Begin the list or the watch anew.',
  },
  SHARD_UNKNOWN: {
    wire: 32,
    retry: 'never',
    applied: 'no',
    summary: 'An id that the caller chose does not say in which shard its entry is.',
    next: 'Give the scope under which the entry was stored.',
  },
  SCOPE_CONFLICT: {
    wire: 33,
    retry: 'never',
    applied: 'no',
    summary:
      'An entry with this id belongs to another scope, and the scope of an entry never changes.',
    next: 'Take another id, or delete the entry first.',
  },
  IMMUTABLE_ENTRY: {
    wire: 34,
    retry: 'never',
    applied: 'no',
    summary: 'The entry was stored as immutable, so it can only be deleted.',
    next: 'Delete it and store another one.',
  },
  SCHEMA_UNKNOWN: {
    wire: 35,
    retry: 'never',
    applied: 'no',
    summary: 'The namespace has no schema of this name and version.',
    next: 'Register the schema, or use a version that is registered.',
  },
  STORAGE_FULL: {
    wire: 36,
    retry: 'later',
    applied: 'no',
    summary: 'The node has no room left for writes.',
    next: 'Delete entries, add nodes, or give the node more room.',
  },
  ABORTED: {
    wire: 37,
    retry: 'never',
    applied: 'unknown',
    summary: 'The caller took the call back. What was sent may still be carried out.',
    next: 'Look before repeating; the same operation id is answered with the first outcome.',
  },
  NOT_CONNECTED: {
    wire: 38,
    retry: 'later',
    applied: 'no',
    summary: 'The client reached no node in time, so nothing was sent.',
    next: 'Check the addresses and whether the nodes run.',
  },
  CLOSED: {
    wire: 39,
    retry: 'never',
    applied: 'no',
    summary: 'The client was closed.',
    next: 'Open a new one.',
  },
  NOT_FOUND: {
    wire: 40,
    retry: 'never',
    applied: 'no',
    summary: 'There is no such entry, so there is nothing to change.',
    next: 'Store the entry first, or check its id.',
  },
} as const satisfies Record<string, ErrorCodeInfo>;

export type ErrorCode = keyof typeof ERROR_CODES;

const codeByNumber = new Map<number, ErrorCode>();
for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
  codeByNumber.set(ERROR_CODES[code].wire, code);
}

/** Undefined for a code of a newer version. */
export function errorCodeOf(wire: number): ErrorCode | undefined {
  return codeByNumber.get(wire);
}

type Nothing = Readonly<Record<never, never>>;

/** The values that belong to each code. */
export interface ErrorDetails {
  UNKNOWN_CODE: { readonly wire: number };
  NOT_COORDINATOR: { readonly hint: NodeId | undefined };
  QUORUM_UNREACHABLE: { readonly acked: number; readonly needed: number };
  SCHEMA_CONFLICT: { readonly stored: number; readonly offered: number };
  NOT_FOUNDED: { readonly present: number; readonly expect: number };
  NO_COORDINATOR: { readonly waitedMs: number };
  TIMEOUT: { readonly timeoutMs: number };
  OVERLOADED: { readonly waiting: number; readonly max: number };
  SHUTTING_DOWN: Nothing;
  WRONG_CLUSTER: { readonly ours: ClusterId; readonly theirs: ClusterId };
  PROTOCOL_MISMATCH: {
    readonly oursMin: number;
    readonly oursMax: number;
    readonly theirsMin: number;
    readonly theirsMax: number;
  };
  IDENTITY_IN_USE: { readonly nodeId: NodeId };
  STALE_DIRECTORY: {
    readonly nodeId: NodeId;
    readonly generation: number;
    readonly newest: number;
  };
  EXPELLED: { readonly nodeId: NodeId };
  BAD_MESSAGE: { readonly problem: string };
  BAD_REQUEST: { readonly problem: string };
  BAD_CONFIGURATION: { readonly problems: readonly string[] };
  DIRECTORY_LOCKED: { readonly directory: string; readonly pid: number | undefined };
  DIRECTORY_CORRUPT: { readonly directory: string; readonly problem: string };
  ADDRESS_IN_USE: { readonly address: string };
  MEMBER_NOT_FOUND: { readonly member: string };
  FEATURE_PROHIBITED: { readonly feature: string };
  /** `current` is a version as `formatVersion` writes it; undefined when there is no entry. */
  VERSION_CONFLICT: { readonly current: string | undefined };
  NOT_PRIMARY: { readonly shard: number; readonly hint: NodeId | undefined };
  NO_PLACEMENT: Nothing;
  SHARD_UNAVAILABLE: { readonly shard: number; readonly problem: string };
  OPERATION_EXPIRED: { readonly operationId: string };
  OPERATION_REUSED: { readonly operationId: string };
  ENTRY_TOO_LARGE: { readonly bytes: number; readonly max: number };
  INVALID_ENTRY: { readonly problems: readonly string[] };
  BAD_TOKEN: { readonly problem: string };
  BAD_CURSOR: { readonly problem: string };
  SHARD_UNKNOWN: { readonly id: string };
  SCOPE_CONFLICT: { readonly id: string };
  IMMUTABLE_ENTRY: { readonly id: string };
  SCHEMA_UNKNOWN: { readonly schema: string; readonly version: number };
  STORAGE_FULL: { readonly usedBytes: number; readonly maxBytes: number };
  ABORTED: Nothing;
  NOT_CONNECTED: { readonly waitedMs: number };
  CLOSED: Nothing;
  NOT_FOUND: { readonly id: string };
}
