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

test('K4: a fast peer is counted at every message and told once in a while', () => {
  const keeper = new ClockKeeper(0, WALL, START);
  for (let at = 0; at < 50; at += 1) keeper.observe(START, peer(1), ahead(600));
  expect(keeper.remoteAheadCount).toBe(50);
  expect(keeper.takeEvents()).toEqual([{ name: 'clock.remoteAhead', peer: peer(1), aheadMs: 600 }]);
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
