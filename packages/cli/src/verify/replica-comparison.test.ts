import {
  actorId,
  failedResult,
  nodeId,
  type Answer,
  type EntryVersion,
  type NodeId,
  type OperationResult,
  type Placement,
  type PlacementShard,
} from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { CommandError } from '../command-error.ts';
import type { DirectLink, Question } from './direct-link.ts';
import { compareReplicas, type ComparisonReport } from './replica-comparison.ts';

const NODES = ['a', 'b', 'c'].map((digit) => nodeId(digit.repeat(32)));
const [A, B, C] = NODES as [NodeId, NodeId, NodeId];

const placement = {
  type: 'placement',
  nodes: NODES.map((id) => ({ nodeId: id, address: '', zone: '', alive: true })),
  shards: Array.from({ length: 8 }, (_, shard) => ({
    shard,
    epoch: 1,
    stage: 'stable',
    primary: 0,
    replicas: [0, 1, 2],
    next: [],
  })) as unknown as readonly PlacementShard[],
  whole: true,
} as unknown as Placement;

const versionOf = (counter: number): EntryVersion => ({
  dot: { actor: actorId(A, 1), counter },
  timestamp: { ms: 1, counter },
});

function found(counter = 1, bytes: readonly number[] = [1, 2, 3]): OperationResult {
  const entry = new Uint8Array(bytes);
  return {
    kind: 'found',
    found: { key: 'e', entry, version: versionOf(counter) },
    source: 'replica',
    stalenessMs: 0,
  };
}

const ABSENT: OperationResult = { kind: 'absent', source: 'replica', stalenessMs: 0 };

/** What a node says to a strong read, and to one of its own copy. */
type Says = (question: Question) => OperationResult | 'away';

function linkOf(says: Says, asked: Question[]): DirectLink {
  const ask = (question: Question): Promise<Answer> => {
    asked.push(question);
    const result = says(question);
    if (result === 'away') return Promise.reject(new CommandError('NO_NODE_REACHABLE', 'Away.'));
    return Promise.resolve({
      id: 1,
      shard: question.shard,
      position: { epoch: 1, index: 42 },
      result,
    });
  };
  return { ask } as unknown as DirectLink;
}

async function compared(
  says: Partial<Record<NodeId, Says>>,
): Promise<ComparisonReport & { readonly asked: readonly Question[] }> {
  const asked: Question[] = [];
  const links = new Map(
    NODES.flatMap((id) => {
      const answer = says[id];
      return answer === undefined ? [] : [[id, linkOf(answer, asked)] as const];
    }),
  );
  async function* entries() {
    yield { id: 'e', slice: 0, line: 7 };
  }
  const report = await compareReplicas(entries(), {
    namespace: 'default',
    placement,
    shardCount: 8,
    links,
    timeoutMs: 0,
    compared: () => undefined,
  });
  return { ...report, asked };
}

test('every replica is asked itself, for no less than the strong read rested on', async () => {
  const report = await compared({ [A]: () => found(), [B]: () => found(), [C]: () => found() });
  expect(report).toMatchObject({ entries: 1, copies: 3, unread: 0, differences: [] });
  expect(report.asked.map(({ read, atLeast }) => `${read} ${atLeast}`)).toEqual([
    'strong 0',
    'one 42',
    'one 42',
    'one 42',
  ]);
});

test.each([
  { what: 'no entry', says: () => ABSENT, problem: 'the replica has no such entry' },
  { what: 'another version', says: () => found(2), problem: 'not version' },
  { what: 'other bytes', says: () => found(1, [9]), problem: 'characters in base64' },
])('a replica with $what is a difference, with its line', async ({ says, problem }) => {
  const report = await compared({ [A]: () => found(), [B]: says, [C]: () => found() });
  expect(report.copies).toBe(2);
  expect(report.differences).toMatchObject([{ id: 'e', line: 7, shard: 0, node: B }]);
  expect(report.differences[0]?.problem).toContain(problem);
});

test('an entry that is nowhere is a difference', async () => {
  const report = await compared({ [A]: () => ABSENT, [B]: () => ABSENT, [C]: () => ABSENT });
  expect(report.differences).toEqual([
    { id: 'e', line: 7, shard: 0, problem: 'there is no such entry' },
  ]);
});

test('of a node that is away nothing is known, which is no difference', async () => {
  const report = await compared({ [A]: () => found(), [B]: () => 'away' });
  expect(report).toMatchObject({ copies: 1, unread: 2, differences: [] });
});

test('a strong read is asked at another holder when the primary is away', async () => {
  const report = await compared({ [B]: () => found(), [C]: () => found() });
  expect(report).toMatchObject({ copies: 2, unread: 1, differences: [] });
});

test('a node that answers with an error says nothing about its copy', async () => {
  const leaving: Says = () => failedResult('SHUTTING_DOWN', {});
  const report = await compared({ [A]: () => found(), [B]: () => found(), [C]: leaving });
  expect(report).toMatchObject({ copies: 2, unread: 1, differences: [] });
  expect(report.reasons).toEqual([{ node: C, reason: 'SHUTTING_DOWN', copies: 1 }]);
});

test('without any strong read nothing is known', async () => {
  const away: Says = ({ read }) => (read === 'strong' ? 'away' : found());
  const report = await compared({ [A]: away, [B]: away, [C]: away });
  expect(report).toMatchObject({ copies: 0, unread: 3, differences: [] });
});
