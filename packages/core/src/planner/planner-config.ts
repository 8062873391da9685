/** Every number of the planner, with the reason beside it (3-cluster.md, sections 6 and 12). */
export const PLANNER = {
  /** With nothing under way. A death or a report begins a round sooner. */
  roundMs: 1_000,
  /** Between two rounds when something happens. */
  busyRoundMs: 100,
  /**
   * Changes of shards on the move in one round, begun or taken a step further. All nodes work on
   * them at the same time, and their clients wait meanwhile: many small bursts delay few of them.
   * Fail-overs are not counted: they wait for nothing.
   */
  stepsMax: 8,
  /** Before a change that was proposed and is not seen yet is proposed again. */
  proposalMs: 3_000,

  /** How long creation waits for founders that have not shown up in gossip. */
  foundersMs: 5_000,
  /** Nobody suspect and the same members for so long, before moves are planned (Rapid's cut). */
  quietMs: 5_000,
  /** A member that never stops flapping must not keep everybody else's moves from being planned. */
  quietMsMax: 60_000,
  /** The same while a member drains: a coordinator may not live for a minute among constant deaths. */
  drainQuietMsMax: 3_000,

  /** A restart takes less; copying what a restart would bring back takes longer. */
  replaceAfterMs: 30_000,
  /** A joiner that is dead for so long will not be waited for. */
  joinerLostMs: 10_000,
  /** A move without any news is given up after this, and the time that its bytes may take. */
  stallMs: 60_000,
  /** A stream slower than this counts as standing still: a sixteenth of its throttle. */
  streamBytesPerSecondMin: 1024 * 1024,
  /** Before a move that was given up is tried again; twice as long after each failure. */
  retryMs: 10_000,
  retryMsMax: 300_000,

  /** Shards on the move, of all: each costs four epochs, and two majorities a write. */
  movingPercentMax: 10,
  /** In small clusters of few shards a tenth is nothing. */
  movingMin: 4,
  /**
   * Shards on their way into one node. Each change of epoch costs every replica a few milliseconds,
   * in bursts that clients wait for. Single short runs of `bench join-100k` on a shared machine had a
   * p99 of 40 ms with 32, 28 and 31 ms with 16, and 25 ms with 8; whole runs did not tell 32 (88 ms)
   * from 16 (83 ms). With 8 a join took almost twice as long.
   */
  incomingMax: 16,

  /** A living primary that reports no service for so long is replaced. */
  inactiveMs: 30_000,
  /** Everything healthy for so long before primaries return to where placement wants them. */
  settledMs: 10_000,
  /** Shards that change their primary without need, at a time: each pauses its writes for a trip. */
  handoversMax: 16,

  /** How often the same trouble is told. */
  stuckEveryMs: 60_000,
  /** Shards named in one event. */
  examplesMax: 5,
} as const;
