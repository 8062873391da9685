import { nodeId, shardId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { NO_SLOT, type RoutedNode } from '../routing/placement-table.ts';
import { silentShard } from './silent-shard.ts';

const SHARD = shardId(5, 8);

function nodeOf(slot: number, alive: boolean): RoutedNode {
  const id = nodeId(`${slot + 1}`.repeat(32));
  return { nodeId: id, address: `10.0.0.${slot}:7700`, zone: '', alive };
}

function said(alive: readonly boolean[], primary = 0): string {
  const nodes = alive.map((isAlive, slot) => nodeOf(slot, isAlive));
  const placement = {
    node: (slot: number) => nodes[slot],
    primaryOf: () => primary,
    replicasOf: () => nodes.map((_, slot) => slot),
  };
  return silentShard(placement, SHARD);
}

test.each([
  {
    alive: [true, false, false],
    expected: '2 of its 3 replicas have to answer, and 22222222 and 33333333 are down',
  },
  { alive: [true, false], expected: '2 of its 2 replicas have to answer, and 22222222 is down' },
  { alive: [false, true, true], expected: 'its primary 11111111 is down' },
  { alive: [true, true, false], expected: 'its primary 11111111 did not answer' },
])('Q3: of $alive it is said: $expected', ({ alive, expected }) => {
  expect(said(alive)).toBe(expected);
});

test('Q3: a shard that nobody has given a primary is told as such', () => {
  expect(said([], NO_SLOT)).toBe('it has no primary yet');
});
