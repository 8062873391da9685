import { expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { fails, ok, StagedSubject, WATCH_MS, type Fate } from '../testing/staged-subject.ts';
import { benchDataset } from './bench-dataset.ts';
import { openLoop } from './open-loop.ts';

const dataset = await benchDataset({ size: '100', count: 1_000 });

async function watched(parts: { isLost?: (n: number) => boolean; fate?: (count: number) => Fate }) {
  const clock = new ManualClock();
  const { fate = () => ok(3), isLost } = parts;
  const subject = new StagedSubject({
    clock,
    fate: (_, count) => fate(count),
    ...(isLost === undefined ? {} : { isLost }),
  });
  const options = { workload: 'watch', dataset, keys: 'uniform', seed: 1 } as const;
  const result = await clock.until(
    openLoop(subject, { ...options, seconds: 2, warmupSeconds: 1, rate: 100, watchers: 4 }, clock),
  );
  return { subject, result };
}

test('each change is heard by each watcher, and how late', async () => {
  const { subject, result } = await watched({});
  expect(result).toMatchObject({ workload: 'watch', failed: 0 });
  expect(result.watch).toMatchObject({ watchers: 4, missing: 0, gaps: 0 });
  expect(result.watch?.deliveriesPerSecond).toBeCloseTo(400, -1);
  expect(result.watch?.lagMs.p50).toBeCloseTo(3 + WATCH_MS, 1);
  expect(subject.watchers).toBe(0);
});

test('changes that nobody hears are missing', async () => {
  const { result } = await watched({ isLost: (n) => n === 150 || n === 151 });
  expect(result.watch).toMatchObject({ missing: 8 });
});

test('a write that failed need not be heard', async () => {
  const { result } = await watched({ fate: (count) => (count === 150 ? fails(3) : ok(3)) });
  expect(result.watch).toMatchObject({ missing: 0 });
  expect(result.failed).toBe(1);
});

test('when not every watcher can be opened, those that were are closed', async () => {
  const clock = new ManualClock();
  const subject = new StagedSubject({ clock, fate: () => ok(3) });
  const watch = subject.watch.bind(subject);
  let opened = 0;
  subject.watch = (watcher) => {
    opened += 1;
    return opened === 3 ? Promise.reject(new Error('No more.')) : watch(watcher);
  };
  const options = { workload: 'watch', dataset, keys: 'uniform', seed: 1, rate: 100 } as const;
  const running = openLoop(
    subject,
    { ...options, seconds: 2, warmupSeconds: 1, watchers: 4 },
    clock,
  );
  await expect(clock.until(running)).rejects.toThrow('No more.');
  expect(subject.watchers).toBe(0);
  expect(subject.operations).toEqual([]);
});
