import { expect, test } from 'vitest';
import type { ShardMessage } from './shards-io.ts';
import { labNode, ShardLab } from '../testing/shard-lab.ts';

const [A, B] = [labNode(1), labNode(2)];

test('F11: an answer to a question of a former life answers no question of this one', () => {
  const lab = new ShardLab({ nodes: 3 });
  lab.assign({ primary: A });
  lab.put(1, 'asked-now', 'v');
  lab.put(1, 'asked-before', 'v');
  lab.advance(100);
  // The disk of node 1 is slow to find the entry, and meanwhile node 2 starts again.
  let late: ShardMessage | undefined;
  lab.drop = ({ from, to, body }) => {
    if (from === A && to === B && body.type === 'keyQueryResp') late ??= body;
    return body.type === 'keyQueryResp';
  };
  lab.get(2, 'asked-before', { read: 'quorum' });
  expect(late).toBeDefined();
  lab.crash(2);
  lab.start(2);
  const token = lab.get(2, 'asked-now', { read: 'quorum' });
  lab.deliver(1, 2, late as ShardMessage);
  expect(lab.answers.get(token)).toBeUndefined();
  lab.drop = () => false;
  lab.advance(1000);
  expect(lab.answers.get(token)?.result).toMatchObject({
    kind: 'found',
    found: { key: 'asked-now' },
  });
  expect(lab.answers.get(token)?.position.index).toBe(2);
});

test('F12: nor does it confirm a strong read', () => {
  const lab = new ShardLab({ nodes: 3 });
  lab.assign({ primary: A });
  lab.advance(100);
  const rounds: number[] = [];
  lab.drop = ({ from, body }) => {
    if (from === A && body.type === 'epochPing') rounds.push(body.round);
    return body.type === 'epochPing';
  };
  lab.get(1, 'k', { read: 'strong' });
  lab.crash(1);
  lab.start(1);
  lab.assign({ primary: A });
  lab.advance(100);
  lab.get(1, 'k', { read: 'strong' });
  expect(rounds.at(-1)).toBeGreaterThan(rounds[0] as number);
});
