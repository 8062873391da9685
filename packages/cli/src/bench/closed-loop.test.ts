import { expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { fails, ok, StagedSubject, type Fate } from '../testing/staged-subject.ts';
import { benchDataset } from './bench-dataset.ts';
import { closedLoop } from './closed-loop.ts';
import type { ClosedLoopOptions } from './load-options.ts';
import type { BenchOperation, Subject } from './subject.ts';

const dataset = await benchDataset({ size: '100', count: 1_000 });

function staged(fate: (operation: BenchOperation, count: number) => Fate) {
  const clock = new ManualClock();
  const subject = new StagedSubject({ clock, fate });
  const run = (options: Partial<ClosedLoopOptions> = {}) =>
    clock.until(
      closedLoop(
        subject,
        {
          workload: 'set',
          dataset,
          seconds: 2,
          warmupSeconds: 1,
          keys: 'uniform',
          seed: 1,
          inFlight: 4,
          ...options,
        },
        clock,
      ),
    );
  return { clock, subject, run };
}

test('so many operations are under way at any time, and no more', async () => {
  const { subject, run } = staged(() => ok(10));
  const result = await run();
  expect(subject.underWayMax).toBe(4);
  expect(result).toMatchObject({ end: 'complete', failed: 0, seconds: 2, problem: undefined });
  // Four at a time, each of 10 ms, for two seconds; those of the warm-up do not count.
  expect(result.operations).toBeGreaterThanOrEqual(796);
  expect(result.operations).toBeLessThanOrEqual(804);
  expect(result.perSecond).toBeCloseTo(result.operations / 2);
  expect(subject.operations.length).toBeGreaterThan(1_190);
});

test('latencies are those of the operations, and processor time is shared among them', async () => {
  const { run } = staged((_, count) => ok(count % 100 === 99 ? 50 : 10));
  const { latencyMs, clientCpuUs, serverCpuUs, operations } = await run();
  expect(latencyMs.p50).toBeCloseTo(10, 1);
  expect(latencyMs.p90).toBeCloseTo(10, 1);
  expect(latencyMs.p999).toBeCloseTo(50, 0);
  expect(latencyMs.max).toBeCloseTo(50, 0);
  // 100 us for each millisecond of the staged clock.
  expect(clientCpuUs).toBeCloseTo(200_000 / operations);
  expect(serverCpuUs).toBeCloseTo(600_000 / operations);
});

test('the same seed asks for the same entries in the same order', async () => {
  const entries = async (seed: number) => {
    const { subject, run } = staged(() => ok(10));
    await run({ seed, keys: 'zipf' });
    return subject.operations;
  };
  expect(await entries(7)).toEqual(await entries(7));
  expect(await entries(7)).not.toEqual(await entries(8));
});

test('failures are counted by what was said, and are no throughput', async () => {
  const { run } = staged((_, count) => (count % 4 === 0 ? fails(10, 'OVERLOADED') : ok(10)));
  const result = await run();
  expect(result.end).toBe('complete');
  expect(result.failures).toEqual([{ what: 'OVERLOADED', count: result.failed }]);
  expect(result.failed).toBeGreaterThan(100);
  expect(result.operations).toBeLessThan(800);
});

test('a subject that says no at once is not asked as fast as it can', async () => {
  const { subject, run } = staged(() => fails(0));
  await run();
  // One every ten milliseconds for each of four workers, for three seconds.
  expect(subject.operations.length).toBeLessThan(1_300);
});

test('a subject that dies in the middle: what was measured until then, and what it said last', async () => {
  const clock = new ManualClock();
  const fate = (): Fate => (clock.nowMs() < 4_000 ? ok(10) : fails(100, 'NOT_CONNECTED'));
  const subject = new StagedSubject({ clock, fate });
  const options = { workload: 'get', dataset, keys: 'uniform', seed: 1, inFlight: 4 } as const;
  const running = closedLoop(subject, { ...options, seconds: 3_600, warmupSeconds: 1 }, clock);
  const result = await clock.until(running);
  expect(result).toMatchObject({ end: 'died', problem: 'It failed: NOT_CONNECTED.' });
  expect(result.operations).toBeGreaterThan(1_190);
  expect(result.seconds).toBeLessThan(9);
});

test('a subject that hangs is not waited for: what is under way counts as not answered', async () => {
  const { clock, run } = staged((_, count) => (count < 1_000 ? ok(10) : { kind: 'hangs' }));
  const result = await run({ seconds: 3_600 });
  expect(result).toMatchObject({ end: 'died', problem: 'Nothing was answered for 5 s.' });
  expect(result.failures).toEqual([{ what: 'not answered', count: 4 }]);
  expect(clock.nowMs()).toBeLessThan(30_000);
});

test('a subject that is dead in the last second has died, however much it did before', async () => {
  const clock = new ManualClock();
  const fate = (): Fate => (clock.nowMs() < 1_800 ? ok(10) : fails(100));
  const subject = new StagedSubject({ clock, fate });
  const options = { workload: 'set', dataset, keys: 'uniform', seed: 1, inFlight: 4 } as const;
  const running = closedLoop(subject, { ...options, seconds: 3, warmupSeconds: 0 }, clock);
  expect(await clock.until(running)).toMatchObject({ end: 'died', seconds: 3 });
});

test('a pause that ends, as of a fail-over, is no death: it is in the latencies', async () => {
  const { run } = staged((_, count) => ok(count >= 400 && count < 404 ? 1_500 : 10));
  const result = await run({ seconds: 4 });
  expect(result).toMatchObject({ end: 'complete', failed: 0 });
  expect(result.latencyMs.max).toBeCloseTo(1_500, -1);
});

test('an interruption ends it with what there is', async () => {
  const { clock, run } = staged(() => ok(10));
  const stop = new AbortController();
  clock.after(2_000, () => stop.abort());
  const result = await run({ seconds: 3_600, signal: stop.signal });
  expect(result).toMatchObject({ end: 'interrupted', seconds: 1, failed: 0 });
  expect(result.operations).toBeGreaterThan(390);
});

test('an interruption before it began: nothing is done', async () => {
  const { subject, run } = staged(() => ok(10));
  const result = await run({ signal: AbortSignal.abort() });
  expect(result).toMatchObject({ end: 'interrupted', operations: 0, perSecond: 0, seconds: 0 });
  expect(subject.operations).toEqual([]);
});

test('progress is told about ten times a second, and which phase it is', async () => {
  const { run } = staged(() => ok(10));
  const told: { phase: string; operations: number }[] = [];
  await run({ progress: ({ phase, operations }) => told.push({ phase, operations }) });
  const measuring = told.filter(({ phase }) => phase === 'measuring');
  expect(told.length - measuring.length).toBeGreaterThanOrEqual(9);
  expect(measuring.length).toBeGreaterThanOrEqual(18);
  expect(measuring.at(-1)?.operations).toBeGreaterThan(700);
});

test('what answers at once leaves others a turn, or the end would never come', async () => {
  const clock = new ManualClock();
  let left = 50_000;
  const subject: Subject = {
    name: 'here',
    version: 'here 1',
    workloads: new Set(['near']),
    run: () => {
      clock.spend(0.1);
      left -= 1;
      return left > 0 ? Promise.resolve() : Promise.reject(new Error('It never ended.'));
    },
    close: () => Promise.resolve(),
  };
  const options = { workload: 'near', dataset, keys: 'uniform', seed: 1, inFlight: 4 } as const;
  const running = closedLoop(subject, { ...options, seconds: 1, warmupSeconds: 0 }, clock);
  expect(await clock.until(running)).toMatchObject({ end: 'complete', failed: 0 });
  expect(clock.turns).toBeGreaterThanOrEqual(10);
});

test.each<[string, Partial<ClosedLoopOptions>, string]>([
  ['no time', { seconds: 0 }, 'seconds is 0; it must be from 0.1 to 86400'],
  ['negative time', { seconds: -1 }, 'seconds is -1;'],
  ['no number', { seconds: Number.NaN }, 'seconds is NaN;'],
  ['nothing in flight', { inFlight: 0 }, 'inFlight is 0; it must be from 1 to 65536'],
  ['a negative warm-up', { warmupSeconds: -1 }, 'warmupSeconds is -1;'],
  ['nobody who listens', { workload: 'watch', watchers: 0 }, 'watchers is 0;'],
  ['an unknown workload', { workload: 'fly' as 'set' }, 'there is no workload fly; there are set,'],
  ['more cas than entries', { workload: 'cas', inFlight: 2_000 }, 'inFlight is 2000;'],
])('%s is refused before anything is done', async (_, options, says) => {
  const { subject, run } = staged(() => ok(1));
  await expect(run(options)).rejects.toMatchObject({
    code: 'BAD_LOAD',
    exitCode: 2,
    message: expect.stringContaining(says) as string,
  });
  expect(subject.operations).toEqual([]);
});
