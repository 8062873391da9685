import { expect, test } from 'vitest';
import type { LogIndex, NodeId, Placement, ShardId } from '@memgrid/protocol';
import { NO_SLOT, PlacementTable } from './placement-table.ts';

const A = 'a'.repeat(32) as NodeId;
const B = 'b'.repeat(32) as NodeId;
const SHARD = 3 as ShardId;

interface Told {
  readonly controlIndex: number;
  readonly epoch: number;
  readonly primary: number;
  readonly stage?: 'stable' | 'switch';
  readonly nodes?: readonly NodeId[];
}

function placementOf({
  controlIndex,
  epoch,
  primary,
  stage = 'stable',
  nodes = [A, B],
}: Told): Placement {
  return {
    type: 'placement',
    controlIndex: controlIndex as LogIndex,
    coordinator: nodes[0],
    nodes: nodes.map((nodeId) => ({
      nodeId,
      address: `${nodeId.slice(0, 1)}:${controlIndex}`,
      zone: '',
      alive: true,
    })),
    shards: [
      { shard: SHARD, epoch, stage, primary, replicas: [0], next: stage === 'switch' ? [1] : [] },
    ],
    whole: true,
  };
}

test('Q5: the highest epoch wins, whichever comes last', () => {
  const table = new PlacementTable(8);
  expect(table.apply(placementOf({ controlIndex: 9, epoch: 4, primary: 1 }))).toEqual([SHARD]);
  expect(table.apply(placementOf({ controlIndex: 5, epoch: 3, primary: 0 }))).toEqual([]);
  expect(table.primaryOf(SHARD)).toBe(table.slotOf(B));
  expect(table.epochOf(SHARD)).toBe(4);
  expect(table.node(table.slotOf(A))?.address).toBe('a:9');
});

test('Q5: places are those of the message that names them', () => {
  const table = new PlacementTable(8);
  table.apply(placementOf({ controlIndex: 1, epoch: 1, primary: 0 }));
  table.apply(placementOf({ controlIndex: 2, epoch: 2, primary: 0, nodes: [B, A] }));
  expect(table.primaryOf(SHARD)).toBe(table.slotOf(B));
  expect(table.coordinator).toBe(B);
});

test('while a shard switches, the next set is the one that is read from', () => {
  const table = new PlacementTable(8);
  table.apply(placementOf({ controlIndex: 1, epoch: 1, primary: 0, stage: 'switch' }));
  expect(table.replicasOf(SHARD)).toEqual([table.slotOf(B)]);
});

test('a node that is not named any more is dead, and one that is unknown has no slot', () => {
  const table = new PlacementTable(8);
  table.apply(placementOf({ controlIndex: 1, epoch: 1, primary: 0 }));
  table.apply(placementOf({ controlIndex: 2, epoch: 2, primary: 0, nodes: [A] }));
  expect(table.node(table.slotOf(B))?.alive).toBe(false);
  expect(table.slotOf('e'.repeat(32) as NodeId)).toBe(NO_SLOT);
  expect(table.primaryOf(7 as ShardId)).toBe(NO_SLOT);
});

test('a shard that the cluster does not have is ignored', () => {
  const table = new PlacementTable(2);
  expect(table.apply(placementOf({ controlIndex: 1, epoch: 1, primary: 0 }))).toEqual([]);
});
