import type { Generation, NodeId, ShardConfig, ShardStage } from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labNode, SHARD } from '../testing/shard-lab.ts';
import {
  everyReplica,
  hasQuorum,
  majority,
  quorumReached,
  readMembers,
  recordReceivers,
  writeSets,
} from './quorum-rule.ts';

const NODES = [1, 2, 3, 4, 5, 6, 7].map(labNode);
const members = fc.uniqueArray(fc.constantFrom(...NODES), { minLength: 1, maxLength: 5 });
const some = fc.uniqueArray(fc.constantFrom(...NODES));

function configOf(
  stage: ShardStage,
  replicas: readonly NodeId[],
  next: readonly NodeId[],
): ShardConfig {
  const primary = replicas[0] as NodeId;
  const primaryGeneration = 1 as Generation;
  return { shard: SHARD, epoch: 1, stage, primary, primaryGeneration, replicas, next, session: 1 };
}

/** The stages of one move, in order, and back. */
function movesOf(replicas: readonly NodeId[], next: readonly NodeId[]): readonly ShardConfig[] {
  return [
    configOf('stable', replicas, []),
    configOf('admit', replicas, next),
    configOf('dual', replicas, next),
    configOf('switch', replicas, next),
    configOf('stable', next, []),
  ];
}

test('F6, F9: any two quorums of neighbouring stages share a node', () => {
  fc.assert(
    fc.property(members, members, some, some, (replicas, next, left, right) => {
      const stages = movesOf(replicas, next);
      for (const [at, stage] of stages.entries()) {
        for (const other of [stage, stages[at + 1] ?? stage]) {
          if (!hasQuorum(writeSets(stage), (node) => left.includes(node))) continue;
          if (!hasQuorum(writeSets(other), (node) => right.includes(node))) continue;
          expect(left.some((node) => right.includes(node))).toBe(true);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('F11: a majority of those who are read shares a node with every write quorum', () => {
  fc.assert(
    fc.property(members, members, some, some, (replicas, next, readers, writers) => {
      for (const stage of movesOf(replicas, next)) {
        const asked = readMembers(stage);
        const answered = readers.filter((node) => asked.includes(node));
        if (answered.length < majority(asked.length)) continue;
        if (!hasQuorum(writeSets(stage), (node) => writers.includes(node))) continue;
        expect(answered.some((node) => writers.includes(node))).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

test('what a quorum has reached is what counting would say', () => {
  const reached = fc.dictionary(fc.constantFrom(...NODES), fc.nat(9));
  fc.assert(
    fc.property(members, members, reached, (replicas, next, marks) => {
      for (const stage of movesOf(replicas, next)) {
        const markOf = (node: NodeId): number => marks[node] ?? 0;
        const highest = quorumReached(writeSets(stage), markOf);
        for (let index = 0; index <= 10; index += 1) {
          const has = hasQuorum(writeSets(stage), (node) => markOf(node) >= index);
          expect(has).toBe(index <= highest);
        }
      }
    }),
  );
});

test('F9: a replica whose base is streamed counts for the joiners of dual only', () => {
  const counts = movesOf([NODES[0] as NodeId], [NODES[1] as NodeId]).map((stage) =>
    writeSets(stage).map(({ incompleteCounts }) => incompleteCounts),
  );
  expect(counts).toEqual([[false], [false], [false, true], [false, false], [false]]);
});

test('joiners are sent records once writes need them', () => {
  const [stable, admit, dual] = movesOf(NODES.slice(0, 3), NODES.slice(2, 5));
  expect(recordReceivers(stable as ShardConfig)).toEqual(NODES.slice(0, 3));
  expect(recordReceivers(admit as ShardConfig)).toEqual(NODES.slice(0, 3));
  expect(recordReceivers(dual as ShardConfig)).toEqual(NODES.slice(0, 5));
  expect(everyReplica(admit as ShardConfig)).toEqual(NODES.slice(0, 5));
});
