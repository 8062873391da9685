import { expect, test } from 'vitest';
import { labEntry, labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';

const [A, B, C] = [labNode(1), labNode(2), labNode(3)];

/** Node 2 lacks what node 1 no longer retains, and nothing is written any more. */
function laggingLab(): ShardLab {
  const lab = new ShardLab({ nodes: 3, config: { logRecordsMax: 2 } });
  lab.assign({ primary: A });
  lab.put(1, 'k', 'before');
  lab.advance(100);
  lab.drop = ({ to }) => to === B;
  for (let number = 0; number < 10; number += 1) lab.put(1, 'k', `v${number}`);
  lab.advance(1000);
  lab.put(1, 'k', 'after');
  lab.advance(1000);
  return lab;
}

test('F22: watches are told that a stream skipped something, and when nothing follows it', () => {
  const lab = laggingLab();
  lab.changes.length = 0;
  lab.drop = () => false;
  lab.advance(10_000);
  const { applied, slot } = lab.status(2);
  expect(slot).toBe(1);
  expect(applied).toBe(lab.status(1).applied);
  const told = lab.changes.filter(({ node }) => node === B).map(({ change }) => change);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ kind: 'unknown', index: applied });
});

test('F20: what was answered at one outlives a log that a stream replaces', () => {
  const lab = new ShardLab({ nodes: 3, config: { logRecordsMax: 2 } });
  lab.assign({ primary: A });
  lab.put(1, 'k', 'before');
  lab.advance(100);
  lab.drop = ({ from, to }) => from === A || to === A;
  const token = lab.put(1, 'x', 'early', { durability: 'one' });
  expect(lab.answers.get(token)?.result).toMatchObject({ acknowledged: 'local' });
  lab.assign({ primary: C }, [2, 3]);
  lab.advance(100);
  for (let number = 0; number < 10; number += 1) lab.put(3, 'k', `v${number}`);
  lab.advance(1000);
  lab.put(3, 'k', 'after');
  lab.advance(1000);
  lab.drop = () => false;
  lab.assign({ epoch: 2, primary: C }, [1]);
  lab.advance(20_000);
  expect(lab.status(1)).toMatchObject({ slot: 1, complete: true });
  expect(lab.answers.get(lab.get(3, 'x', { read: 'strong' }))?.result.kind).toBe('found');
});

test('F20: and a shard that is given up', () => {
  const lab = new ShardLab({ nodes: 3 });
  lab.assign({ primary: A });
  lab.put(1, 'k', 'before');
  lab.advance(100);
  lab.drop = ({ from, to }) => from === A || to === A;
  lab.put(1, 'x', 'early', { durability: 'one' });
  lab.assign({ primary: C, replicas: [B, C] }, [2, 3]);
  lab.advance(100);
  lab.drop = () => false;
  lab.assign({ epoch: 2 }, [1]);
  lab.advance(20_000);
  expect(lab.status(1).role).toBe('none');
  expect(lab.answers.get(lab.get(3, 'x', { read: 'strong' }))?.result.kind).toBe('found');
  expect([...lab.disk(1).keys()].filter((key) => key.includes('/r/'))).toEqual([]);
});

test('F24: a copy that is given up leaves no entry on disk, whatever was not written yet', () => {
  const lab = new ShardLab({ nodes: 3, config: { collectAfterMs: 1000 } });
  lab.assign({ primary: A });
  const entry = labEntry('v', { expiresAt: lab.wallMs + 500 });
  lab.ask(1, {
    operationId: lab.operationId(),
    body: { kind: 'put', namespace: 'n', key: 'k', entry, condition: { kind: 'always' } },
  });
  lab.advance(600);
  const onDisk = (): string[] => [...lab.disk(3).keys()].filter((key) => key.includes('/e/'));
  expect(onDisk()).toHaveLength(1);
  while (lab.entries(3).count(SHARD, 0) > 0) lab.advance(1);
  expect(onDisk()).toHaveLength(1);
  lab.assign({ primary: A, replicas: [A, B] });
  lab.advance(1000);
  expect(onDisk()).toEqual([]);
});
