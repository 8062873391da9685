import { nodeId, type Timestamp } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { after, type Instant } from '../machine.ts';
import { ClockKeeper } from './clock-keeper.ts';

const WALL = 1_700_000_000_000;
const START = 0 as Instant;
const HOUR_MS = 3_600_000;

function peer(digit: number) {
  return nodeId(digit.toString(16).repeat(32));
}

function ahead(ms: number): Timestamp {
  return { ms: WALL + ms, counter: 0 };
}

/** A message of the first peer, `second` seconds after the start. */
function hear(keeper: ClockKeeper, second: number, aheadMs: number): void {
  const elapsedMs = second * 1_000;
  const now = after(START, elapsedMs);
  keeper.tell(now, WALL + elapsedMs);
  keeper.observe(now, peer(1), ahead(elapsedMs + aheadMs));
}

test('K4: a fast peer is counted at every message and told once in a while', () => {
  const keeper = new ClockKeeper(0, WALL, START);
  for (let second = 0; second < 18; second += 1) hear(keeper, second, 600);
  expect(keeper.remoteAheadCount).toBe(18);
  expect(keeper.takeEvents()).toEqual([{ name: 'clock.remoteAhead', peer: peer(1), aheadMs: 600 }]);
});

test('K4: no restart begins as far ahead as this, so it is told at once', () => {
  const keeper = new ClockKeeper(0, WALL, START);
  hear(keeper, 0, 9_000);
  expect(keeper.takeEvents()).toHaveLength(1);
});

test('K4: a peer that was restarted begins beyond its bound, and is not told as fast', () => {
  const keeper = new ClockKeeper(0, WALL, START);
  // Its clock stands still until the wall clock has come up; then it is killed once more.
  for (const begin of [0, 4]) {
    for (let second = 0; second < 4; second += 1) {
      hear(keeper, begin + second, Math.max(0, 3_100 - second * 1_000));
    }
  }
  // The worst that many restarts can do.
  for (let second = 0; second < 9; second += 1) hear(keeper, 10 + second, 8_100 - second * 1_000);
  expect(keeper.remoteAheadCount).toBeGreaterThan(0);
  expect(keeper.takeEvents()).toEqual([]);
});

/** Second by second, with two peers that are `peersMs` beyond the time at which they began. */
function live(keeper: ClockKeeper, seconds: readonly number[], systemMs: number, peersMs = 0) {
  for (const second of seconds) {
    const now = after(START, second * 1_000);
    const elapsedMs = Math.floor(second * 1_000);
    keeper.tell(now, WALL + elapsedMs + systemMs);
    for (const digit of [1, 2]) keeper.observe(now, peer(digit), ahead(elapsedMs + peersMs));
  }
}

test.each([8 * HOUR_MS, -HOUR_MS])(
  'K6: a jump by %d ms is not followed against two peers, and the clock is suspect until it is back',
  (jumpMs) => {
    const keeper = new ClockKeeper(0, WALL, START);
    keeper.boundStored(WALL + HOUR_MS);
    live(keeper, [0, 1, 2], 0);
    live(keeper, [3, 4, 5.0004, 5.0008], jumpMs);
    expect(keeper.wallMs).toBe(WALL + 5_000);
    expect(keeper.tick().ms).toBe(WALL + 5_000);
    expect([keeper.suspect, keeper.offsetMs]).toEqual([true, -jumpMs]);
    live(keeper, [6, 7], 0);
    expect([keeper.suspect, keeper.offsetMs]).toEqual([false, 0]);
    expect(keeper.wallMs).toBe(WALL + 7_000);
    const jumps = keeper.takeEvents().filter(({ name }) => name === 'clock.jumped');
    expect(jumps).toHaveLength(2);
  },
);

test('K6: a jump is followed alone, and when the peers have jumped as well', () => {
  const alone = new ClockKeeper(0, WALL, START);
  for (const second of [0, 1, 2]) alone.tell(after(START, second * 1_000), WALL + HOUR_MS);
  expect(alone.wallMs).toBe(WALL + HOUR_MS);
  const suspended = new ClockKeeper(0, WALL, START);
  live(suspended, [0, 1, 2], 0);
  live(suspended, [3, 4, 5, 6], HOUR_MS, HOUR_MS);
  expect(suspended.wallMs).toBe(WALL + 6_000 + HOUR_MS);
  expect(suspended.suspect).toBe(false);
});

test('K5: a node doubts its clock while its peers do, and no longer', () => {
  const keeper = new ClockKeeper(0, WALL, START);
  const review = (seconds: number): void => keeper.tell(after(START, seconds * 1_000), WALL);
  for (const digit of [1, 2, 3]) keeper.observe(START, peer(digit), ahead(-HOUR_MS));
  keeper.takeEvents();
  review(1);
  expect(keeper).toMatchObject({ suspect: true, offsetMs: -HOUR_MS });
  expect(keeper.takeEvents()).toContainEqual({
    name: 'clock.suspect',
    suspect: true,
    offsetMs: -HOUR_MS,
  });
  for (const digit of [1, 2, 3]) keeper.forget(peer(digit));
  review(2);
  expect(keeper.suspect).toBe(false);
});
