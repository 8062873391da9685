/** The rules that a test can break on purpose; each is caught by a checker of the simulator. */
export const BREAKABLE_RULES = [
  // membership
  'membership.refute-accusations',
  'membership.incarnation-order',
  'membership.remote-dead-enters-as-suspect',
  'membership.never-forget',
  'membership.retransmit-floor',
  'membership.new-generation-retires-old',
  'membership.answer-stale-alive',
  'membership.refused-needs-two',
  'membership.suspicion-waits',
  // driver
  'driver.inbox-before-timers',
  // raft
  'raft.one-vote-per-term',
  'raft.persist-before-answer',
  'raft.up-to-date-candidate',
  'raft.log-matching',
  'raft.commit-own-term-only',
  'raft.majority-commits',
  'raft.quorum-loss-silence',
  'raft.pre-vote',
  'raft.joint-consensus',
  'raft.catch-up-before-promotion',
  // bootstrap
  'bootstrap.promise-once',
  'bootstrap.everybody-promises',
  // identity and clocks
  'identity.generation-before-first-packet',
  'hybrid-clock.persisted-bound',
  'hybrid-clock.receive-advances',
  'autopilot.never-shrink',
  // shard ownership
  'control.epoch-compare-and-set',
  'planner.live-majority-for-failover',
  'planner.caught-up-before-switch',
  'planner.active-before-stable',
  'planner.generation-mismatch-bumps',
  // client sessions
  'session.token-rises',
  'session.same-operation-id',
  'session.unknown-stays-unknown',
  'session.feed-in-order',
  'near-cache.no-late-fill',
  'near-cache.order-of-invalidations',
] as const;

export type BreakableRule = (typeof BREAKABLE_RULES)[number];
