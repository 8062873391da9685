import { expect, test } from 'vitest';
import { benchDataset } from './bench-dataset.ts';
import { BATCH_ENTRIES } from './dataset.ts';
import type { LoadOptions } from './load-options.ts';
import { operationSource } from './operation-source.ts';
import type { BenchOperation, WorkloadName } from './subject.ts';

const dataset = await benchDataset({ size: '100', count: 300 });

function sourceOf(workload: WorkloadName, keys: LoadOptions['keys'] = 'uniform') {
  return operationSource({ workload, dataset, seconds: 1, warmupSeconds: 0, keys, seed: 1 });
}

function firstOf(workload: WorkloadName, count: number): readonly BenchOperation[] {
  const source = sourceOf(workload);
  return Array.from({ length: count }, () => source.next());
}

test.each(['set', 'get', 'near'] as const)('%s is one operation on any entry', (workload) => {
  const operations = firstOf(workload, 1_000);
  expect(new Set(operations.map(({ kind }) => kind))).toEqual(new Set([workload]));
  expect(new Set(operations.map((it) => (it.kind === workload ? it.n : -1))).size).toBeGreaterThan(
    250,
  );
});

test('mix is nine reads to a write', () => {
  const operations = firstOf('mix', 10_000);
  const reads = operations.filter(({ kind }) => kind === 'get').length;
  expect(reads).toBeGreaterThan(8_850);
  expect(reads).toBeLessThan(9_150);
  expect(operations.filter(({ kind }) => kind === 'set')).toHaveLength(10_000 - reads);
});

test('batch has its entries, and list has a scope that there is', () => {
  for (const operation of firstOf('batch', 10)) {
    expect(operation.kind === 'batch' && operation.ns.length).toBe(BATCH_ENTRIES);
  }
  const scopes = firstOf('list', 100).map((it) => (it.kind === 'list' ? it.scope : -1));
  expect(new Set(scopes)).toEqual(new Set([0, 1, 2]));
});

test('watch changes one entry after the other', () => {
  const operations = firstOf('watch', 301);
  expect(operations.slice(0, 3)).toEqual([0, 1, 2].map((n) => ({ kind: 'set', n })));
  expect(operations[300]).toEqual({ kind: 'set', n: 0 });
});

test('cas never has two for one entry, until the first is over', () => {
  const source = sourceOf('cas', 'zipf');
  const taken = Array.from({ length: 300 }, () => source.next());
  expect(new Set(taken.map((it) => (it.kind === 'cas' ? it.n : -1))).size).toBe(300);
  expect(() => source.next()).toThrow('All 300 entries have an operation.');
  const [first] = taken;
  if (first === undefined) throw new Error('There is no operation.');
  source.over(first);
  expect(source.next()).toEqual(first);
});
