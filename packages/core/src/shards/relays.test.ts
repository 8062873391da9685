import { expect, test } from 'vitest';
import { labNode, SHARD, ShardLab, type Sent } from '../testing/shard-lab.ts';

const [A, B, C] = [labNode(1), labNode(2), labNode(3)];

test('F1: what is relayed ends with the epoch in which it was asked for', () => {
  const lab = new ShardLab({ nodes: 3, config: { logRecordsMax: 2 } });
  lab.assign({ primary: A });
  lab.advance(100);
  // Node 2 falls behind what node 1 retains.
  const toB = ({ to, body }: Sent): boolean => to === B && body.type === 'replicate';
  lab.drop = toB;
  for (let number = 0; number < 10; number += 1) lab.put(1, `k${number}`, 'v');
  lab.advance(1000);
  lab.put(1, 'trim', 'v');
  lab.advance(300);
  // Node 1 alone has a tail, and is asked to bring it to node 2.
  const chunks = ({ body }: Sent): boolean => body.type === 'streamChunk';
  lab.drop = (sent) => sent.body.type === 'replicate' || chunks(sent);
  for (let number = 0; number < 3; number += 1) lab.put(1, `tail${number}`, 'v');
  const { index } = lab.status(1).last;
  const relay = { type: 'relay', shard: SHARD, epoch: 1, query: 1, to: B, upTo: index } as const;
  lab.deliver(3, 1, relay);
  lab.advance(2000);
  expect(lab.sent.some(({ to, body }) => to === A && body.type === 'streamOpen')).toBe(true);
  // Node 3 is the next primary. Nobody hears what it logs.
  lab.drop = (sent) => {
    const fromA = sent.from === A && sent.body.type === 'promiseAck';
    return sent.body.type === 'replicate' || fromA || chunks(sent);
  };
  lab.assign({ primary: C }, [3]);
  lab.advance(10);
  expect(lab.status(3).last).toMatchObject({ epoch: 2 });
  // Node 2 has promised, knows of no configuration, and goes on with its stream. Node 1 must not
  // take that for an answer: its tail is not the new primary's, and would replace that one's.
  lab.sent.length = 0;
  lab.drop = ({ from, body }) => from === C && body.type === 'replicate';
  lab.advance(2000);
  expect(lab.status(2)).toMatchObject({ complete: true, slot: 1, promised: 2 });
  const relayed = lab.sent.filter(({ from, body }) => from === A && body.type === 'replicate');
  expect(relayed).toEqual([]);
});
