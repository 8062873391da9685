import { expect, test } from 'vitest';
import {
  confirmationsWanted,
  LAN,
  loadIntervalMs,
  LOCAL,
  membershipConfig,
  pushPullIntervalMs,
  retransmitLimit,
  suspicionMaxMs,
  suspicionMinMs,
  WAN,
} from './membership-config.ts';

test.each([
  { members: 3, min: 4000, max: 24_000 },
  { members: 10, min: 4000, max: 24_000 },
  { members: 100, min: 8000, max: 48_000 },
  { members: 1000, min: 12_000, max: 72_000 },
])('M4: among $members a suspicion lasts $min to $max ms', ({ members, min, max }) => {
  expect(Math.round(suspicionMinMs(LAN, members))).toBe(min);
  expect(Math.round(suspicionMaxMs(LAN, members))).toBe(max);
});

test.each([
  [1, -1],
  [2, 0],
  [3, 1],
  [4, 2],
  [9, 2],
  [10, 3],
  [1000, 3],
])('M4: among %i, %i confirmations are wanted', (members, wanted) => {
  expect(confirmationsWanted(members)).toBe(wanted);
});

test.each([
  [3, 12],
  [100, 12],
  [999, 12],
  [1000, 16],
  [10_000, 20],
])('M8: among %i a rumour is told %i times', (members, times) => {
  expect(retransmitLimit(LAN, members)).toBe(times);
});

test.each([
  [5, 15_000],
  [32, 15_000],
  [33, 30_000],
  [64, 30_000],
  [100, 45_000],
  [1000, 90_000],
])('M19: among %i tables are compared every %i ms', (members, everyMs) => {
  expect(pushPullIntervalMs(LAN, members)).toBe(everyMs);
});

test.each([
  [5, 5000],
  [10, 5000],
  [100, 50_000],
  [200, 100_000],
  [201, Infinity],
])('M19: among %i a changed load alone is announced every %d ms', (members, everyMs) => {
  expect(loadIntervalMs(LAN, members)).toBe(everyMs);
});

test.each([
  ['LOCAL', LOCAL],
  ['LAN', LAN],
  ['WAN', WAN],
])('M22: the profile %s contradicts nothing', (_, profile) => {
  expect(membershipConfig({}, profile)).toEqual(profile);
});

test('M22: all problems are reported at once, each with both numbers', () => {
  const options = {
    probeTimeoutMs: 900,
    probeIntervalMs: 500,
    gossipFanout: 0,
    flapReuseBelow: 6000,
    flapPercentMax: 101,
  };
  expect(() => membershipConfig(options)).toThrow(
    'gossipFanout (0) must be a whole number of at least 1. ' +
      'probeTimeoutMs (900) must be below probeIntervalMs (500). ' +
      'flapReuseBelow (6000) must be below flapSuppressAbove (5000). ' +
      'probeTimeoutMs + helperTimeoutMs (1220) must be below probeIntervalMs (500). ' +
      'flapPercentMax (101) must be at most 100.',
  );
});

test('M5, M22: a nack that cannot arrive inside the interval is refused', () => {
  expect(() => membershipConfig({ helperTimeoutMs: 600 })).toThrow(
    'probeTimeoutMs + helperTimeoutMs (1000) must be below probeIntervalMs (1000).',
  );
});
