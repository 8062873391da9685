import type { ElectionMessage, GroupEpoch, LogIndex, Term } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { B, C, entryOf, LoneElection, SELF, THREE } from '../testing/lone-election.ts';
import { RaftGroup } from '../testing/raft-group.ts';
import { RaftStorm } from '../testing/raft-storm.ts';

/** Blocks of seeds, so that a failure names few of them. */
const BLOCKS = Array.from({ length: 20 }, (_, block) => ({
  from: block * 15 + 1,
  to: block * 15 + 15,
}));

/** Whatever must have been seen, or the storms are too weak to prove anything. */
const SEEN = new Set<string>();

test.each(BLOCKS)(
  'E1, E7, E8, E9, E10, E12, E13: storms $from to $to break no rule',
  ({ from, to }) => {
    const bad: unknown[] = [];
    for (let seed = from; seed <= to; seed += 1) {
      const { violations, stuck, seen, faults } = new RaftStorm(seed).run(10_000);
      for (const what of seen.keys()) SEEN.add(what);
      if (violations.length > 0 || stuck !== undefined)
        bad.push({ seed, faults, violations, stuck });
    }
    expect(bad).toEqual([]);
  },
);

test('the storms showed what they are meant to show', () => {
  for (const what of [
    'coordinator.steppedDown quorumLost',
    'coordinator.steppedDown higherTerm',
    'coordinator.steppedDown removed',
    'coordinator.steppedDown transferred',
    'election.started leaderDied',
    'election.started handedOver',
    'proposed committed',
    'proposed unknown',
    'proposed overloaded',
    'proposed notLeader',
    'read',
    'snapshot installed',
    'transferred well',
    'transferred timeout',
    'log.compacted',
  ]) {
    expect(SEEN, what).toContain(what);
  }
});

test.each([{ voters: 3 }, { voters: 5 }])(
  'E4, E6: $voters voters have a new leader 2.5 s (median) and 4 s (worst) after a silent death',
  ({ voters }) => {
    const gapsMs: number[] = [];
    for (let seed = 1; seed <= 200; seed += 1) {
      const group = new RaftGroup({ seed, voters, outsiders: 0 });
      group.run(5_000 + seed * 7);
      const diedAt = group.now;
      const leader = group.leader?.id;
      expect(leader).toBeDefined();
      if (leader !== undefined) group.crash(leader);
      expect(group.run(diedAt + 4_000, () => group.leader !== undefined)).toBe(true);
      gapsMs.push(group.now - diedAt);
    }
    gapsMs.sort((a, b) => a - b);
    expect(gapsMs[100]).toBeLessThan(2_500);
    expect(gapsMs.at(-1)).toBeLessThan(4_000);
  },
);

test('E15: a planned hand-over leaves no gap of more than 300 ms', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const group = new RaftGroup({ seed, voters: 3, outsiders: 0 });
    group.run(4_000);
    const before = group.leader;
    if (before === undefined) throw new Error('Nobody leads.');
    const askedAt = group.now;
    group.input(before.id, { kind: 'transfer', request: 1, to: undefined });
    const handed = group.run(8_000, () => {
      return group.leader !== undefined && group.leader.id !== before.id;
    });
    expect(handed).toBe(true);
    // From the moment on which proposals are refused.
    expect(group.now - askedAt).toBeLessThan(300);
  }
});

const index = fc.nat(6).map((value) => value as LogIndex);
const term = fc.nat(6).map((value) => value as Term);
const count = fc.nat(9);
const header = { groupEpoch: fc.constant(1 as GroupEpoch), term };
const last = { lastIndex: index, lastTerm: term };
const bytes = fc.uint8Array({ minLength: 1, maxLength: 4 });
const entries = fc.array(
  fc.tuple(fc.nat(7), fc.nat(6)).map(([at, of]) => entryOf(at, of)),
  { maxLength: 4 },
);

/** Anything that the codec lets through. */
const junk: fc.Arbitrary<ElectionMessage> = fc.oneof(
  fc.record({ type: fc.constant('preVote' as const), ...header, ...last }),
  fc.record({ type: fc.constant('preVoteResp' as const), ...header, granted: fc.boolean() }),
  fc.record({ type: fc.constant('vote' as const), ...header, ...last, transfer: fc.boolean() }),
  fc.record({ type: fc.constant('voteResp' as const), ...header, granted: fc.boolean() }),
  fc.record({
    type: fc.constant('append' as const),
    ...header,
    previousIndex: index,
    previousTerm: term,
    commit: index,
    entries,
  }),
  fc.record({
    type: fc.constant('appendResp' as const),
    ...header,
    accepted: fc.boolean(),
    index,
    hintIndex: index,
    hintTerm: term,
  }),
  fc.record({
    type: fc.constant('heartbeat' as const),
    ...header,
    commit: index,
    readRound: count,
  }),
  fc.record({ type: fc.constant('heartbeatResp' as const), ...header, readRound: count }),
  fc.record({
    type: fc.constant('snapshotChunk' as const),
    ...header,
    ...last,
    config: fc.constant(THREE),
    offset: count,
    totalBytes: count,
    bytes,
  }),
  fc.record({
    type: fc.constant('snapshotResp' as const),
    ...header,
    lastIndex: index,
    nextOffset: count,
    installed: fc.boolean(),
  }),
  fc.record({ type: fc.constant('timeoutNow' as const), ...header }),
  fc.record({ type: fc.constant('propose' as const), ...header, request: count, command: bytes }),
  fc.record({ type: fc.constant('readIndex' as const), ...header, request: count }),
);

const happening = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom(B, C, SELF), junk) },
  { weight: 1, arbitrary: fc.nat(2_000) },
);

test('E19: no sequence of messages stops a node, or makes it commit anything twice', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), fc.boolean(), (happenings, outsider) => {
      const node = new LoneElection({ outsider });
      let commit = node.status.commit;
      for (const it of happenings) {
        const effects =
          typeof it === 'number'
            ? [...node.pass(it), ...node.sync()]
            : node.give({ kind: 'message', from: it[0], body: it[1] });
        for (const effect of effects) {
          if (effect.kind === 'restored') commit = effect.snapshot.index;
          if (effect.kind !== 'committed') continue;
          for (const entry of effect.entries) {
            expect(entry.index).toBe(commit + 1);
            commit = entry.index;
          }
        }
        expect(node.status.commit).toBe(commit);
      }
    }),
    { numRuns: 500 },
  );
});
