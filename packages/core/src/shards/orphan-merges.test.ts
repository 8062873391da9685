import { expect, test } from 'vitest';
import { labNode, ShardLab } from '../testing/shard-lab.ts';

const [A, B] = [labNode(1), labNode(2)];

test('F20: a merge that a later primary cut off does not count as taken', () => {
  const lab = new ShardLab({ nodes: 3 });
  lab.assign({ primary: A });
  lab.advance(100);
  // Node 2 takes a write while it does not hear of the primary.
  lab.alive(2, 3);
  lab.put(2, 'k', 'island', { durability: 'one' });
  // The primary hears the offer, and nobody hears what it logs because of it.
  lab.drop = ({ from, body }) => from === A && body.type === 'replicate';
  lab.alive(1, 2, 3);
  lab.advance(1000);
  const merged = lab.status(1).last.index;
  expect(merged).toBe(2);
  // Another primary settles other records there before node 1 hears of its configuration.
  lab.drop = ({ from, body }) => {
    return body.type === 'offerOrphan' || (from === A && body.type === 'promiseAck');
  };
  lab.assign({ primary: labNode(3) }, [3]);
  lab.put(3, 'other', 'v');
  lab.advance(1000);
  expect(lab.status(1).last).toMatchObject({ epoch: 2 });
  expect(lab.sent.some(({ body }) => body.type === 'orphanTaken')).toBe(false);
  lab.drop = () => false;
  lab.assign({ epoch: 2, primary: labNode(3) }, [1, 2]);
  lab.advance(10_000);
  const read = lab.answers.get(lab.get(3, 'k', { read: 'strong' }))?.result;
  expect(read).toMatchObject({ kind: 'found', found: { version: { dot: { actor: `${B}.1` } } } });
});
