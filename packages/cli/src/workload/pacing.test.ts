import { expect, test } from 'vitest';
import { Pacing, type PacingOptions } from './pacing.ts';

function pacingOf(overrides: Partial<PacingOptions> = {}) {
  const begun: number[] = [];
  let now = 0;
  const pacing = new Pacing({
    rate: 100,
    until: 1_000,
    nowMs: () => now,
    pause: (ms) => {
      now += ms;
      return Promise.resolve();
    },
    signal: new AbortController().signal,
    begun: () => begun.push(now),
    ...overrides,
  });
  return {
    pacing,
    begun,
    wait: (ms: number) => {
      now += ms;
    },
  };
}

test('operations begin evenly, and end in time', async () => {
  const { pacing, begun } = pacingOf();
  while (await pacing.turn());
  expect(begun).toEqual(Array.from({ length: 100 }, (_, at) => at * 10));
});

test('a client that was held up does not catch up in a burst', async () => {
  const { pacing, begun, wait } = pacingOf();
  await pacing.turn();
  wait(500);
  for (let count = 0; count < 3; count++) await pacing.turn();
  expect(begun).toEqual([0, 500, 510, 520]);
});

test('without a rate nothing waits', async () => {
  const { pacing, begun } = pacingOf({ rate: 0 });
  for (let count = 0; count < 5; count++) expect(await pacing.turn()).toBe(true);
  expect(begun).toEqual([0, 0, 0, 0, 0]);
});

test('after an interruption nothing begins', async () => {
  const { pacing } = pacingOf({ signal: AbortSignal.abort() });
  expect(await pacing.turn()).toBe(false);
});
