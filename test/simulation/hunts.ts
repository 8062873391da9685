import type { BreakableRule } from '@memgrid/core/testing';
import type { SimulateOptions } from '@memgrid/simulator';

/** Days in which keeping one rule matters, so that a cluster without it is soon found out. */
export interface Hunt {
  readonly day: Omit<SimulateOptions, 'seed'>;
  /** Which checkers count as proof; any, when not given. */
  readonly shownBy?: readonly string[];
}

/** Proof that the group's log or votes went wrong, and not only that something was slow. */
const raftSafety = [
  'one-leader-per-term',
  'log-matching',
  'committed-entries-stay',
  'commits-have-quorums',
  'same-index-same-state',
  'config-quorums-overlap',
  'one-vote-per-term',
  'silent-after-quorum-loss',
  'counters-never-regress',
  'machines-never-fault',
];

const busy = { requestsPerSecond: 30, handoverShare: 0.01, readShare: 0.1 };

/** Whatever a seed draws. */
const anything: Hunt = { day: {} };

/** Everybody pauses like a garbage collector and one packet in twelve is lost: nobody may die. */
const pausesAndLoss: Hunt = {
  day: {
    nodes: 7,
    durationMs: 180_000,
    strictDeaths: true,
    faults: {
      kind: 'schedule',
      faults: [
        {
          atMs: 5_000,
          kind: 'stall',
          node: '*',
          stallMsMin: 500,
          stallMsMax: 2_400,
          everyMs: 3_000,
        },
        { atMs: 5_000, kind: 'flaky', from: '*', to: '*', lossPercent: 8, resetPercent: 0 },
      ],
    },
  },
  shownBy: ['no-false-deaths'],
};

/** Nodes die with writes under way, on slow disks, and lose what was not synced. */
const deathsAtTheDisk: Hunt = {
  day: {
    nodes: 3,
    workload: busy,
    faults: {
      kind: 'swarm',
      only: ['dieWriting', 'diskSlow', 'restart'],
      gapMs: 700,
      quietMs: 6_000,
    },
  },
  shownBy: raftSafety,
};

/** Leaders are cut off again and again while they have entries to commit. */
const cutOffLeaders: Hunt = {
  day: {
    nodes: 5,
    workload: busy,
    faults: {
      kind: 'swarm',
      only: ['isolate', 'split', 'restart', 'pause', 'oneway'],
      gapMs: 1_000,
      quietMs: 6_000,
    },
  },
  shownBy: raftSafety,
};

/** The cluster is founded in the middle of splits and crashes. */
const founding: Hunt = {
  day: {
    nodes: 4,
    durationMs: 10_000,
    faults: {
      kind: 'swarm',
      only: ['split', 'oneway', 'crash', 'dieWriting', 'clog', 'diskSlow'],
      gapMs: 150,
      quietMs: 0,
    },
  },
  shownBy: ['one-founding'],
};

/** A voter is gone for good and there is nobody to replace it. */
const absentVoter: Hunt = {
  day: {
    nodes: 3,
    durationMs: 120_000,
    faults: {
      kind: 'schedule',
      faults: [{ atMs: 8_000, kind: 'powerOff', node: 'n2' }],
    },
  },
};

/** The group changes: nodes are wiped and come back as strangers. */
const changingGroup: Hunt = {
  day: {
    nodes: 4,
    workload: busy,
    faults: {
      kind: 'swarm',
      only: ['wipe', 'isolate', 'split', 'slow', 'pause'],
      gapMs: 1_500,
      quietMs: 6_000,
    },
  },
  shownBy: raftSafety,
};

/** One node is turned away by another's firewall. */
const turnedAway: Hunt = {
  day: {
    nodes: 5,
    strictDeaths: true,
    faults: { kind: 'swarm', only: ['refuse'], gapMs: 6_000, quietMs: 6_000 },
  },
  shownBy: ['no-false-deaths'],
};

const ORDINARY = { listers: 1, shards: 8, sync: 'disk', timeoutMs: 2_000 } as const;

/** Clients lose their connections and their answers all the time. */
const restlessClients: Hunt = {
  day: {
    nodes: 3,
    durationMs: 30_000,
    data: { ...ORDINARY, clients: 4, processes: 3, thinkMs: 40 },
    faults: {
      kind: 'swarm',
      only: ['crash', 'pause', 'restart', 'reset', 'flaky', 'diskSlow'],
      gapMs: 700,
      quietMs: 5_000,
    },
  },
  shownBy: ['linearizable', 'sessions-go-forward', 'acknowledged-writes-survive'],
};

/** The connections of applications break in the middle of their answers. */
const lostAnswers: Hunt = {
  day: {
    nodes: 3,
    durationMs: 8_000,
    data: { ...ORDINARY, clients: 2, processes: 5, thinkMs: 10 },
    faults: {
      kind: 'schedule',
      faults: ['c1', 'c2'].map((to) => ({
        atMs: 4_000,
        kind: 'flaky',
        from: '*',
        to,
        lossPercent: 0,
        resetPercent: 12,
      })),
    },
  },
  shownBy: ['linearizable', 'deleted-stays-deleted'],
};

export const HUNTS: Readonly<Partial<Record<BreakableRule, Hunt>>> = {
  'membership.refute-accusations': pausesAndLoss,
  'membership.incarnation-order': anything,
  'membership.remote-dead-enters-as-suspect': pausesAndLoss,
  'membership.never-forget': anything,
  'membership.retransmit-floor': pausesAndLoss,
  'membership.new-generation-retires-old': anything,
  'membership.answer-stale-alive': anything,
  'membership.refused-needs-two': turnedAway,
  'membership.suspicion-waits': pausesAndLoss,
  'driver.inbox-before-timers': pausesAndLoss,
  'raft.one-vote-per-term': anything,
  'raft.persist-before-answer': deathsAtTheDisk,
  'raft.up-to-date-candidate': anything,
  'raft.log-matching': cutOffLeaders,
  'raft.commit-own-term-only': cutOffLeaders,
  'raft.majority-commits': cutOffLeaders,
  'raft.quorum-loss-silence': cutOffLeaders,
  'raft.pre-vote': cutOffLeaders,
  'raft.joint-consensus': changingGroup,
  'raft.catch-up-before-promotion': changingGroup,
  'bootstrap.promise-once': founding,
  'bootstrap.everybody-promises': founding,
  'identity.generation-before-first-packet': deathsAtTheDisk,
  'hybrid-clock.persisted-bound': anything,
  'hybrid-clock.receive-advances': anything,
  'autopilot.never-shrink': absentVoter,
  'session.token-rises': restlessClients,
  'session.same-operation-id': lostAnswers,
  'session.unknown-stays-unknown': restlessClients,
};
