import { expect, test } from 'vitest';
import { labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';

const [A, B, C] = [labNode(1), labNode(2), labNode(3)];

/** Three nodes that have just forgotten a deleted entry, one of them only in memory. */
function collectedLab(logRecordsMax: number): ShardLab {
  const lab = new ShardLab({ nodes: 3, config: { collectAfterMs: 1000, logRecordsMax } });
  lab.assign({ primary: A });
  lab.advance(100);
  lab.put(1, 'k', 'v');
  lab.delete(1, 'k');
  lab.advance(500);
  lab.put(1, 'x', 'v');
  lab.advance(500);
  const isCollected = (): boolean => {
    return lab.events.some(({ node, event }) => node === C && event.name === 'shard.collected');
  };
  while (!isCollected()) lab.advance(5);
  expect([...lab.disk(3).keys()].some((key) => key.endsWith('/e/n\0k'))).toBe(true);
  return lab;
}

function entriesOf(lab: ShardLab): readonly number[] {
  return [1, 2, 3].map((number) => lab.status(number).entries);
}

test('F23, F18: a tombstone that was collected is not mended from the log', () => {
  const lab = collectedLab(4096);
  lab.input(3, { kind: 'damaged', shard: SHARD, slot: 0, key: 'n\0k', problem: 'Torn.' });
  lab.advance(1000);
  expect(entriesOf(lab)).toEqual([1, 1, 1]);
  expect([...lab.disk(3).keys()].some((key) => key.endsWith('/e/n\0k'))).toBe(false);
});

test('F23, F18: nor from a replica that has not collected it yet', () => {
  const lab = new ShardLab({ nodes: 3, config: { collectAfterMs: 1000, logRecordsMax: 1 } });
  lab.assign({ primary: A });
  lab.advance(100);
  lab.delete(1, 'k');
  lab.advance(500);
  lab.put(1, 'x', 'v');
  lab.advance(300);
  // Node 2 hears nothing of the collection.
  lab.drop = ({ to, body }) => to === B && body.type === 'replicate';
  const isCollected = (): boolean => {
    return lab.events.some(({ node, event }) => node === C && event.name === 'shard.collected');
  };
  while (!isCollected()) lab.advance(5);
  expect(entriesOf(lab)).toEqual([1, 2, 1]);
  lab.drop = ({ to, body }) => {
    return (to === B && body.type === 'replicate') || (to === A && body.type === 'streamOpen');
  };
  lab.input(3, { kind: 'damaged', shard: SHARD, slot: 0, key: 'n\0k', problem: 'Torn.' });
  lab.advance(1500);
  expect(lab.status(3).entries).toBe(1);
  lab.drop = () => false;
  lab.advance(10_000);
  expect(entriesOf(lab)).toEqual([1, 1, 1]);
});
