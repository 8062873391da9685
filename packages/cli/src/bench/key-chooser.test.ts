import { expect, test } from 'vitest';
import { keyChooser, type KeyChooserOptions } from './key-chooser.ts';

function shares(options: KeyChooserOptions, draws: number): readonly number[] {
  const choose = keyChooser(options);
  const counts = new Map<number, number>();
  for (let draw = 0; draw < draws; draw += 1) {
    const n = choose();
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  for (const n of counts.keys()) expect(n).toBeLessThan(options.count);
  return [...counts.values()].map((count) => count / draws).toSorted((a, b) => b - a);
}

test('uniform: every entry is asked for about as often', () => {
  const all = shares({ keys: 'uniform', count: 100, seed: 3 }, 100_000);
  expect(all).toHaveLength(100);
  expect(all[0]).toBeLessThan(0.012);
  expect(all.at(-1)).toBeGreaterThan(0.008);
});

test('zipf: the k-th most wanted entry is asked for k^-0.99 times as often as the first', () => {
  const all = shares({ keys: 'zipf', count: 1_000, seed: 3 }, 130_000);
  const sum = Array.from({ length: 1_000 }, (_, rank) => (rank + 1) ** -0.99).reduce(
    (total, weight) => total + weight,
  );
  for (const rank of [1, 2, 5, 10]) {
    const expected = rank ** -0.99 / sum;
    expect(all[rank - 1]).toBeGreaterThan(expected * 0.9);
    expect(all[rank - 1]).toBeLessThan(expected * 1.1);
  }
});

test('zipf: the most wanted entries are not neighbours', () => {
  const choose = keyChooser({ keys: 'zipf', count: 10_000, seed: 5 });
  const counts = new Map<number, number>();
  for (let draw = 0; draw < 50_000; draw += 1) {
    const n = choose();
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  const wanted = [...counts].toSorted((a, b) => b[1] - a[1]).slice(0, 10);
  expect(new Set(wanted.map(([n]) => Math.floor(n / 100))).size).toBeGreaterThan(5);
});

test.each(['uniform', 'zipf'] as const)('%s: a single entry is the only choice', (keys) => {
  const choose = keyChooser({ keys, count: 1, seed: 1 });
  expect([choose(), choose(), choose()]).toEqual([0, 0, 0]);
});

test('the same seed gives the same order, another one another', () => {
  const first = (seed: number): readonly number[] => {
    const choose = keyChooser({ keys: 'uniform', count: 1_000, seed });
    return Array.from({ length: 20 }, choose);
  };
  expect(first(1)).toEqual(first(1));
  expect(first(1)).not.toEqual(first(2));
});
