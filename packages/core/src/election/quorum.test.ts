import type { GroupConfig, LogIndex, NodeId } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { idOf } from '../testing/raft-group.ts';
import { quorumIndex, quorumValue, voteResult } from './quorum.ts';

const voter = fc.integer({ min: 1, max: 9 }).map(idOf);
const voters = fc.uniqueArray(voter, { minLength: 1, maxLength: 7 });
const config: fc.Arbitrary<GroupConfig> = fc.record({
  voters,
  votersOutgoing: fc.oneof(fc.constant([]), voters),
  learners: fc.constant([]),
});

/** The dumb twin: tries every value, counting heads each time. */
function slowQuorumValue(it: GroupConfig, values: ReadonlyMap<NodeId, number>): number {
  const has = (ids: readonly NodeId[], value: number): boolean => {
    const heads = ids.filter((id) => (values.get(id) ?? 0) >= value).length;
    return ids.length === 0 || heads > ids.length - heads;
  };
  const reached = [0, ...values.values()].filter(
    (value) => has(it.voters, value) && has(it.votersOutgoing, value),
  );
  return Math.max(0, ...reached);
}

test('E9: the quorum value is what counting heads finds, joint or not', () => {
  const values = fc.dictionary(fc.integer({ min: 1, max: 9 }).map(String), fc.nat(6));
  fc.assert(
    fc.property(config, values, (it, named) => {
      const known = new Map(Object.entries(named).map(([id, value]) => [idOf(Number(id)), value]));
      const valueOf = (id: NodeId): LogIndex => (known.get(id) ?? 0) as LogIndex;
      expect(quorumValue(it, valueOf)).toBe(slowQuorumValue(it, known));
      expect(quorumIndex(it, valueOf)).toBe(slowQuorumValue(it, known));
    }),
  );
});

test('E10: any two quorums of one configuration have a node in common', () => {
  const answers = fc.uniqueArray(voter, { maxLength: 9 });
  fc.assert(
    fc.property(config, answers, (it, yes) => {
      const everyone = Array.from({ length: 9 }, (_, at) => idOf(at + 1));
      const rest = everyone.filter((id) => !yes.includes(id));
      const wins = (ids: readonly NodeId[]): boolean =>
        voteResult(it, new Map(ids.map((id) => [id, true]))) === 'won';
      // If both halves of the world could win, two leaders could be elected.
      expect(wins(yes) && wins(rest)).toBe(false);
    }),
  );
});

const [a, b, c, d] = [idOf(1), idOf(2), idOf(3), idOf(4)] as const;
const three = { voters: [a, b, c], votersOutgoing: [], learners: [] };
const joint = { voters: [a, d], votersOutgoing: [a, b, c], learners: [] };

test.each([
  { name: 'nobody answered', it: three, yes: [], no: [], result: 'pending' },
  { name: 'one of three', it: three, yes: [a], no: [], result: 'pending' },
  { name: 'two of three', it: three, yes: [a, c], no: [], result: 'won' },
  { name: 'two refuse', it: three, yes: [a], no: [b, c], result: 'lost' },
  { name: 'a stranger does not count', it: three, yes: [a, d], no: [], result: 'pending' },
  { name: 'joint: only the new majority', it: joint, yes: [a, d], no: [], result: 'pending' },
  { name: 'joint: only the old majority', it: joint, yes: [a, b], no: [], result: 'pending' },
  { name: 'joint: both', it: joint, yes: [a, b, d], no: [], result: 'won' },
  { name: 'joint: the new one cannot any more', it: joint, yes: [a, b], no: [d], result: 'lost' },
  {
    name: 'nobody has a vote',
    it: { voters: [], votersOutgoing: [], learners: [a] },
    yes: [a],
    no: [],
    result: 'lost',
  },
] as const)('E10: $name is $result', ({ it, yes, no, result }) => {
  const votes = new Map<NodeId, boolean>();
  for (const id of yes) votes.set(id, true);
  for (const id of no) votes.set(id, false);
  expect(voteResult(it, votes)).toBe(result);
});
