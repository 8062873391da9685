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
    next: 'Look before repeating what is not idempotent.',
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
} as const satisfies Record<string, ErrorCodeInfo>;

export type ErrorCode = keyof typeof ERROR_CODES;

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
}
