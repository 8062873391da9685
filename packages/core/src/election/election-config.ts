import { LIMITS } from '@memgrid/protocol';

/** Every knob of the election machine. Total: options become a config at the edge. */
export interface ElectionConfig {
  /**
   * How often a leader shows that it lives. Lower notices silence sooner and costs one message
   * per member and interval. About the network's round trip at least (etcd's tuning guide).
   */
  readonly heartbeatMs: number;
  /**
   * The shortest silence after which a follower doubts its leader; also how long it refuses to
   * vote against a leader that it heard, and how long a leader may lead without hearing a
   * majority. Lower fails over sooner and deposes leaders that merely paused: the worst
   * collection pause measured was 450 ms, and three times that is the floor.
   */
  readonly electionTimeoutMsMin: number;
  /** The longest such silence. A wider range has fewer split votes and a later worst case. */
  readonly electionTimeoutMsMax: number;
  /** A pre-vote changes nothing anywhere, so asking again soon is cheap. */
  readonly preVoteRetryMsMin: number;
  readonly preVoteRetryMsMax: number;
  /** How long a real election may take before it counts as split. At least a round trip and a sync. */
  readonly electionRetryMsMin: number;
  readonly electionRetryMsMax: number;
  /** Spreads the campaigns of followers that were all told at once that their leader died. */
  readonly leaderDiedDelayMsMax: number;
  /** Spreads the first campaigns of a group that was just founded and never had a leader. */
  readonly foundingDelayMsMax: number;
  /** How long a hand-over may take before the leader resumes. Proposals are refused meanwhile. */
  readonly transferTimeoutMs: number;
  /** After this a proposal is answered `unknown` and a read "not readable". */
  readonly requestTimeoutMs: number;
  /** A stall at least this long makes our own timers worthless as evidence against others. */
  readonly stallMsMin: number;
  /** How long a node listens after a stall before it may campaign. */
  readonly stallGraceMsMin: number;
  readonly stallGraceMsMax: number;
  /** Entries and bytes of one append, and appends under way to one peer. */
  readonly appendEntriesMax: number;
  readonly appendBytesMax: number;
  readonly inflightMax: number;
  readonly snapshotChunkBytes: number;
  /** Proposals beyond this wait for a majority that may never come: they are refused instead. */
  readonly uncommittedBytesMax: number;
  /** Requests that one node may have waiting. */
  readonly pendingMax: number;
  /** How far behind a learner may be when it is made a voter (hashicorp/raft-autopilot: 250). */
  readonly promotionLagMax: number;
  /** A snapshot is wanted when the log has grown by either beyond the last one. */
  readonly compactionEntries: number;
  readonly compactionBytes: number;
  /** Entries kept behind a snapshot, so that a peer a little behind needs no snapshot. */
  readonly trailingEntries: number;
}

export type ElectionOptions = Partial<ElectionConfig>;

/** One data centre: round trips of a few milliseconds. */
export const LAN: ElectionConfig = {
  heartbeatMs: 300,
  electionTimeoutMsMin: 1_500,
  electionTimeoutMsMax: 2_900,
  preVoteRetryMsMin: 200,
  preVoteRetryMsMax: 500,
  electionRetryMsMin: 300,
  electionRetryMsMax: 900,
  leaderDiedDelayMsMax: 300,
  foundingDelayMsMax: 300,
  transferTimeoutMs: 1_500,
  requestTimeoutMs: 3_000,
  stallMsMin: 300,
  stallGraceMsMin: 100,
  stallGraceMsMax: 300,
  appendEntriesMax: LIMITS.appendEntriesMax,
  appendBytesMax: LIMITS.appendBytesMax,
  inflightMax: 64,
  snapshotChunkBytes: LIMITS.snapshotChunkBytesMax,
  uncommittedBytesMax: 8 * 1024 * 1024,
  pendingMax: 4_096,
  promotionLagMax: 250,
  compactionEntries: 4_096,
  compactionBytes: 4 * 1024 * 1024,
  trailingEntries: 1_024,
};

/** Several nodes on one machine. Election times stay: laptops sleep and collect garbage too. */
export const LOCAL: ElectionConfig = { ...LAN, foundingDelayMsMax: 150, preVoteRetryMsMin: 150 };

/** Round trips up to about 300 ms. */
export const WAN: ElectionConfig = {
  ...LAN,
  heartbeatMs: 1_000,
  electionTimeoutMsMin: 5_000,
  electionTimeoutMsMax: 9_000,
  preVoteRetryMsMin: 800,
  preVoteRetryMsMax: 1_800,
  electionRetryMsMin: 1_200,
  electionRetryMsMax: 3_000,
  leaderDiedDelayMsMax: 1_000,
  foundingDelayMsMax: 1_000,
  transferTimeoutMs: 5_000,
  requestTimeoutMs: 8_000,
};

/** @throws RangeError naming every problem at once. */
export function electionConfig(
  options: ElectionOptions = {},
  profile: ElectionConfig = LAN,
): ElectionConfig {
  const config: ElectionConfig = { ...profile, ...options };
  const problems = electionConfigProblems(config);
  if (problems.length > 0) throw new RangeError(problems.join(' '));
  return config;
}

/** What is wrong with a config, one sentence for each problem; empty when nothing is. */
export function electionConfigProblems(config: ElectionConfig): readonly string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(config)) {
    if (!Number.isFinite(value) || value < 0)
      problems.push(`${name} (${value}) must be 0 or more.`);
  }
  const mustExceed = (low: keyof ElectionConfig, high: keyof ElectionConfig): void => {
    if (config[low] < config[high]) return;
    problems.push(`${low} (${config[low]}) must be below ${high} (${config[high]}).`);
  };
  // Two heartbeats may be lost before anybody doubts the leader.
  if (config.heartbeatMs * 3 > config.electionTimeoutMsMin) {
    problems.push(
      `heartbeatMs (${config.heartbeatMs}) must be at most a third of ` +
        `electionTimeoutMsMin (${config.electionTimeoutMsMin}).`,
    );
  }
  mustExceed('electionTimeoutMsMin', 'electionTimeoutMsMax');
  mustExceed('preVoteRetryMsMin', 'preVoteRetryMsMax');
  mustExceed('electionRetryMsMin', 'electionRetryMsMax');
  mustExceed('stallGraceMsMin', 'stallGraceMsMax');
  const bounds = [
    ['heartbeatMs', 1, Infinity],
    ['appendEntriesMax', 1, LIMITS.appendEntriesMax],
    ['appendBytesMax', 1, LIMITS.appendBytesMax],
    ['inflightMax', 1, Infinity],
    ['snapshotChunkBytes', 1, LIMITS.snapshotChunkBytesMax],
    ['pendingMax', 1, Infinity],
    ['compactionEntries', 1, Infinity],
  ] as const;
  for (const [name, low, high] of bounds) {
    if (config[name] >= low && config[name] <= high) continue;
    problems.push(`${name} (${config[name]}) must be from ${low} to ${high}.`);
  }
  return problems;
}
