import { expect, test } from 'vitest';
import { at, idOf } from '../testing/membership-fixture.ts';
import { FlapDamping, unstableMax } from './flap-damping.ts';
import { LAN } from './membership-config.ts';

/** Refutes so often within a moment that the penalty is above the limit. */
function flap(flaps: FlapDamping, letter: string, members = 5): number | undefined {
  let penalty: number | undefined;
  for (let count = 0; count < 11; count += 1) {
    penalty ??= flaps.refuted(at(0), idOf(letter), members);
  }
  return penalty;
}

test('M18: ten refuted suspicions are bad luck, eleven in a row are unstable', () => {
  const flaps = new FlapDamping(LAN);
  for (let count = 0; count < 10; count += 1) {
    expect(flaps.refuted(at(0), idOf('b'), 5)).toBeUndefined();
  }
  expect(flaps.isUnstable(idOf('b'))).toBe(false);
  expect(flaps.refuted(at(0), idOf('b'), 5)).toBe(5500);
  expect(flaps.isUnstable(idOf('b'))).toBe(true);
});

test('M18: the penalty halves every five minutes; below 2500 the member has settled', () => {
  const flaps = new FlapDamping(LAN);
  flap(flaps, 'b');
  const settleAt = flaps.nextSettleAt ?? at(NaN);
  // 5500 falls to 2500 in log2(2.2) half-lives.
  expect(Math.round(settleAt)).toBe(Math.ceil(Math.log2(2.2) * 300_000));
  expect(flaps.settled(at(settleAt - 1))).toEqual([]);
  expect(flaps.settled(settleAt)).toEqual([idOf('b')]);
  expect(flaps.isUnstable(idOf('b'))).toBe(false);
  expect(flaps.nextSettleAt).toBeUndefined();
});

test('M18: at most a tenth of the members is unstable at once', () => {
  const flaps = new FlapDamping(LAN);
  expect(flap(flaps, 'b', 19)).toBeDefined();
  expect(flap(flaps, 'c', 19)).toBeUndefined();
  expect(flap(flaps, 'd', 20)).toBeDefined();
  expect([1, 9, 10, 19, 20, 100].map((count) => unstableMax(LAN, count))).toEqual([
    1, 1, 1, 1, 2, 10,
  ]);
});

test('M18: a member that left leaves its place to another', () => {
  const flaps = new FlapDamping(LAN);
  flap(flaps, 'b');
  flaps.forget(idOf('b'));
  expect(flap(flaps, 'c')).toBeDefined();
});
