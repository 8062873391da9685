import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BREAKABLE_RULES } from '@memgrid/core/testing';
import type { BreakableRule } from '@memgrid/core/testing';
import type { Violation } from '@memgrid/simulator';
import { expect, test } from 'vitest';
import { HUNTS } from './hunts.ts';
import { PLANNER_HUNTS } from './planner-hunts.ts';
import { runHuntedSeed } from './run-hunted-seed.ts';
import { SHARD_HUNTS } from './shard-hunts.ts';

interface Outcome {
  readonly rule: BreakableRule;
  /** The first seed that showed it. */
  readonly seeds: number;
  readonly found: Violation | null;
}

/**
 * Rules that are soon found out. `break-one-rule.ts` hunts for any other by hand, and;
 * `README.md` beside it records what each came to.
 */
const HUNTED: readonly BreakableRule[] = [
  'membership.incarnation-order',
  'membership.new-generation-retires-old',
  'membership.refute-accusations',
  'membership.suspicion-waits',
  'membership.refused-needs-two',
  'raft.one-vote-per-term',
  'raft.persist-before-answer',
  'raft.up-to-date-candidate',
  'raft.commit-own-term-only',
  'raft.majority-commits',
  'raft.quorum-loss-silence',
  'raft.joint-consensus',
  'identity.generation-before-first-packet',
  'hybrid-clock.persisted-bound',
  'hybrid-clock.receive-advances',
  'autopilot.never-shrink',
  ...PLANNER_HUNTS,
  'session.token-rises',
  'session.same-operation-id',
  'session.unknown-stays-unknown',
  'shards.promise-before-serving',
  'shards.persist-promise',
  'shards.longest-complete-log-wins',
  'shards.log-matching',
  'shards.activation-record-commits',
  'shards.majority-commits',
  'shards.dual-needs-both',
  'shards.generation-must-match',
  'shards.quorum-read-in-sync',
  'shards.quorum-read-writes-back',
  'shards.applied-only-committed',
  'shards.dots-leased',
  'shards.operation-once',
  'shards.cas-compares',
  'shards.read-at-least',
  'shards.tombstone-kept',
  'shards.expired-invisible',
  'shards.stream-whole',
  'shards.joiner-starts-empty',
  'shards.store-before-ack',
];

const SCRIPT = fileURLToPath(new URL('./break-one-rule.ts', import.meta.url));

/** In a process of its own: only there do the machines ask whether a rule is broken. */
async function hunt(rule: BreakableRule): Promise<Outcome> {
  const conditions = ['--conditions=memgrid-breaks', '--conditions=memgrid-source'];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...conditions,
    SCRIPT,
    rule,
    '200',
  ]);
  return JSON.parse(stdout) as Outcome;
}

test('every rule that can be broken has at most one hunt', () => {
  const twice = BREAKABLE_RULES.filter(
    (rule) => SHARD_HUNTS[rule] !== undefined && (PLANNER_HUNTS.has(rule) || rule in HUNTS),
  );
  expect(twice).toEqual([]);
});

test.concurrent.each(HUNTED)(
  'S12: without %s the swarm finds a violation',
  async (rule) => {
    const { found, seeds } = await hunt(rule);
    expect(found).not.toBeNull();
    const { proofs } = runHuntedSeed(rule, seeds);
    const same = proofs.filter(({ checker }) => checker === found?.checker);
    expect(same).toEqual([]);
  },
  240_000,
);
