import { expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { fails, ok, StagedSubject, type StagedSubjectOptions } from '../testing/staged-subject.ts';
import { benchDataset } from './bench-dataset.ts';
import { runRounds, type LoadPlan, type RoundsOptions, type RoundsProgress } from './rounds.ts';

const dataset = await benchDataset({ size: '100', count: 1_000 });
const GET: LoadPlan = { workload: 'get', loop: { kind: 'closed', inFlight: 4 } };
const SET: LoadPlan = { workload: 'set', loop: { kind: 'open', rate: 100 } };

type Named = Pick<StagedSubjectOptions, 'name' | 'fate' | 'workloads'>;

async function rounds(subjects: readonly Named[], options: Partial<RoundsOptions> = {}) {
  const clock = new ManualClock();
  const staged = subjects.map((one) => new StagedSubject({ ...one, clock }));
  const order: string[] = [];
  const rows = await clock.until(
    runRounds(
      {
        subjects: staged,
        plans: [GET],
        dataset,
        rounds: 3,
        seconds: 1,
        warmupSeconds: 1,
        seed: 1,
        progress: ({ subject, plan, round }: RoundsProgress) => {
          const now = `${plan.workload} ${subject} ${round}`;
          if (order.at(-1) !== now) order.push(now);
        },
        ...options,
      },
      clock,
    ),
  );
  return { rows, order, staged, clock };
}

const fast: Named = { name: 'fast', fate: () => ok(5) };
const slow: Named = { name: 'slow', fate: () => ok(20) };

test('subjects are measured in turn, every load in every round', async () => {
  const { order, rows, staged } = await rounds([fast, slow], { plans: [GET, SET], rounds: 2 });
  expect(order).toEqual([
    'get fast 1',
    'get slow 1',
    'get fast 2',
    'get slow 2',
    'set fast 1',
    'set slow 1',
    'set fast 2',
    'set slow 2',
  ]);
  expect(rows.map(({ subject, plan, end }) => [plan.workload, subject, end])).toEqual([
    ['get', 'fast', 'complete'],
    ['get', 'slow', 'complete'],
    ['set', 'fast', 'complete'],
    ['set', 'slow', 'complete'],
  ]);
  expect(rows[0]?.numbers?.perSecond).toBeCloseTo(800, -1);
  expect(rows[1]?.numbers?.perSecond).toBeCloseTo(200, -1);
  expect(staged[0]?.prepared).toEqual(['get', 'set']);
});

test('each round asks for other entries, and every subject for the same ones', async () => {
  const { staged } = await rounds([fast, { ...fast, name: 'twin' }], { rounds: 2 });
  const [one, other] = staged;
  expect(one?.operations).toEqual(other?.operations);
  const half = (one?.operations.length ?? 0) / 2;
  expect(one?.operations.slice(0, 100)).not.toEqual(one?.operations.slice(half, half + 100));
});

test('a subject that dies is not asked again, and the others go on', async () => {
  const dying: Named = {
    name: 'dying',
    fate: (_, count) => (count < 1_000 ? ok(5) : fails(100, 'NOT_CONNECTED')),
  };
  const { rows, order } = await rounds([dying, slow], { plans: [GET, SET] });
  const [died, alive, never] = rows;
  expect(died).toMatchObject({ end: 'died', problem: 'It failed: NOT_CONNECTED.' });
  expect(died?.rounds.length).toBeLessThan(3);
  expect(died?.numbers?.perSecond).toBeGreaterThan(0);
  expect(alive).toMatchObject({ end: 'complete', numbers: { rounds: 3, failed: 0 } });
  expect(never).toMatchObject({ subject: 'dying', end: 'died', rounds: [], numbers: undefined });
  expect(order.filter((now) => now.startsWith('set dying'))).toEqual([]);
});

test('after an interruption nothing begins, and every row is there', async () => {
  const stop = new AbortController();
  const { rows } = await rounds([fast, slow], {
    plans: [GET, SET],
    signal: stop.signal,
    progress: ({ subject, round }) => {
      if (subject === 'slow' && round === 2) stop.abort();
    },
  });
  expect(rows.map(({ end, rounds: done }) => [end, done.length])).toEqual([
    ['interrupted', 2],
    ['interrupted', 2],
    ['interrupted', 0],
    ['interrupted', 0],
  ]);
  // What was measured whole is what counts.
  expect(rows[1]?.numbers).toMatchObject({ rounds: 1 });
});

test('what a subject does not offer has a row that says so', async () => {
  const { rows } = await rounds([{ ...fast, workloads: ['set'] }, slow]);
  expect(rows[0]).toMatchObject({ subject: 'fast', end: 'notOffered', rounds: [] });
  expect(rows[1]).toMatchObject({ subject: 'slow', end: 'complete' });
});

test('a subject that cannot prepare has died of it', async () => {
  const clock = new ManualClock();
  const subject = new StagedSubject({ clock, fate: () => ok(5) });
  subject.prepare = () => Promise.reject(new Error('There is no cache.'));
  const options = { subjects: [subject], plans: [GET], dataset, rounds: 3, seconds: 1 };
  const rows = await clock.until(runRounds({ ...options, warmupSeconds: 0, seed: 1 }, clock));
  expect(rows).toMatchObject([{ end: 'died', problem: 'There is no cache.', rounds: [] }]);
});

test.each<[string, Partial<RoundsOptions>, string]>([
  ['no rounds', { rounds: 0 }, 'rounds is 0; it must be from 1 to 1000'],
  ['no time', { seconds: 0 }, 'seconds is 0;'],
  [
    'a rate of nothing in the last load',
    { plans: [GET, { workload: 'set', loop: { kind: 'open', rate: 0 } }] },
    'rate is 0;',
  ],
])('%s is refused before anything is measured', async (_, options, says) => {
  await expect(rounds([fast], options)).rejects.toMatchObject({
    code: 'BAD_LOAD',
    message: expect.stringContaining(says) as string,
  });
});
