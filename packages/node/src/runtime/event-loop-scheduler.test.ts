import type { Instant } from '@memgrid/core';
import { expect, test } from 'vitest';
import { EventLoopScheduler } from './event-loop-scheduler.ts';
import { systemClock } from './system-clock.ts';

function inMs(delayMs: number): Instant {
  return (systemClock.now() + delayMs) as Instant;
}

async function nextImmediate(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

test('a turn runs after the present phase, with the last look at the clock right before it', async () => {
  const log: string[] = [];
  const scheduler = new EventLoopScheduler(() => log.push('look'));
  scheduler.soon(() => log.push('turn'));
  log.push('now');
  await nextImmediate();
  await nextImmediate();
  expect(log).toEqual(['now', 'look', 'turn']);
});

test('a timer replaces the earlier one, and the same moment again keeps it', async () => {
  const scheduler = new EventLoopScheduler();
  const moment = inMs(3);
  await new Promise<void>((resolve, reject) => {
    scheduler.at(inMs(0), () => reject(new Error('The replaced timer fired.')));
    scheduler.at(moment, resolve);
    scheduler.at(moment, () => reject(new Error('The timer was made anew.')));
  });
});

test('a cancelled timer does not fire, and one far away does not overflow', async () => {
  const scheduler = new EventLoopScheduler();
  let fired = false;
  scheduler.at(inMs(0), () => (fired = true));
  scheduler.cancel();
  scheduler.at(inMs(2 ** 40), () => (fired = true));
  const other = new EventLoopScheduler();
  await new Promise<void>((resolve) => {
    other.at(inMs(2), resolve);
  });
  scheduler.cancel();
  expect(fired).toBe(false);
});
