import { Random } from '@memgrid/core';

/** Gives the number of the next entry. */
export type KeyChooser = () => number;

export interface KeyChooserOptions {
  readonly keys: 'uniform' | 'zipf';
  readonly count: number;
  readonly seed: number;
}

/** As in the Yahoo Cloud Serving Benchmark: of 10,000 entries the first gets about every tenth call. */
const ZIPF_EXPONENT = 0.99;

/**
 * Numbers are drawn before anything is measured and then repeated, because drawing one costs as much
 * as a few percent of a fast call. So many do not repeat within less than a good part of a second.
 */
const DRAWN = 1 << 17;

/** Chooses numbers from 0 to `count - 1`, in the same order for the same seed. */
export function keyChooser({ keys, count, seed }: KeyChooserOptions): KeyChooser {
  const random = Random.of(seed).split(keys);
  const draw = keys === 'uniform' ? (): number => random.below(count) : zipf(count, random);
  const drawn = Uint32Array.from({ length: DRAWN }, draw);
  let next = 0;
  return () => {
    const n = drawn[next] ?? 0;
    next = (next + 1) % DRAWN;
    return n;
  };
}

/**
 * Zipf's law: the k-th most wanted entry is asked for k^-0.99 times as often as the first. Which
 * entries those are is shuffled, or the most wanted ones would all be in one scope.
 *
 * By inversion of the exact distribution; a table of a million entries is made in a tenth of a second.
 */
function zipf(count: number, random: Random): () => number {
  const upTo = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) {
    sum += (rank + 1) ** -ZIPF_EXPONENT;
    upTo[rank] = sum;
  }
  const numbers = random.shuffled(Array.from({ length: count }, (_, n) => n));
  return () => numbers[firstAbove(upTo, random.unit() * sum)] ?? 0;
}

/** The first place whose value is above; the last one when none is. */
function firstAbove(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
