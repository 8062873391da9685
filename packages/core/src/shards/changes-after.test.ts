import { expect, test } from 'vitest';
import { labNode, SHARD, ShardLab } from '../testing/shard-lab.ts';
import type { AppliedChange } from './shards-io.ts';

const A = labNode(1);

function writtenLab(config: ConstructorParameters<typeof ShardLab>[0]['config'] = {}): ShardLab {
  const lab = new ShardLab({ nodes: 3, config });
  lab.assign({ primary: A });
  lab.advance(100);
  for (const key of ['k', 'l', 'k', 'm']) lab.put(1, key, `of ${key}`);
  lab.delete(1, 'l');
  lab.advance(1_000);
  return lab;
}

function told(lab: ShardLab, number: number): readonly AppliedChange[] {
  const node = labNode(number);
  return lab.changes.filter((one) => one.node === node).map(({ change }) => change);
}

test.each([1, 2, 3])('the log tells again what node %i was told when it took effect', (number) => {
  const lab = writtenLab();
  const changes = told(lab, number);
  expect(changes).toHaveLength(6);
  for (let index = 0; index <= 6; index += 1) {
    const again = lab.machine(number).changesAfter(SHARD, index, 100);
    expect(again).toEqual(changes.filter((change) => change.index > index));
  }
  expect(lab.machine(number).changesAfter(SHARD, 0, 2)).toEqual(changes.slice(-2));
});

test('the log tells again after a restart', () => {
  const lab = writtenLab();
  const changes = told(lab, 2);
  lab.crash(2);
  lab.start(2);
  lab.advance(1_000);
  expect(lab.machine(2).changesAfter(SHARD, 2, 100).slice(0, 4)).toEqual(changes.slice(2));
});

test('what is trimmed from the log is missing at the front', () => {
  const lab = writtenLab({ logRecordsMax: 2 });
  // Records go with the flush after the one that made them safe.
  lab.put(1, 'n', 'last');
  lab.advance(1_000);
  const changes = told(lab, 1);
  const base = lab.machine(1).changesAfter(SHARD, 0, 100)[0]?.index ?? 0;
  expect(base).toBeGreaterThan(1);
  expect(lab.machine(1).changesAfter(SHARD, 0, 100)).toEqual(
    changes.filter(({ index }) => index >= base),
  );
});

test('who does not hold the shard has nothing to tell', () => {
  const lab = writtenLab();
  lab.assign({ replicas: [A, labNode(2)] });
  lab.advance(1_000);
  expect(lab.machine(3).changesAfter(SHARD, 0, 100)).toEqual([]);
});
