import { Random } from '@memgrid/core';
import { expect, test } from 'vitest';
import { MemoryStore, type Faults } from '../testing/memory-store.ts';
import { HistoryLog } from './history-log.ts';
import { RegisterWorkload } from './register-workload.ts';
import { SessionWorkload } from './session-workload.ts';
import { SetWorkload } from './set-workload.ts';
import { ProcessIds } from './process-ids.ts';
import type { Workload, WorkloadOptions, WorkloadVerdict } from './workload.ts';

// A judge that never finds anything is worth nothing, so each is shown a store that cheats.

const OPERATIONS = 400;

async function judged(
  make: (options: WorkloadOptions) => Workload,
  faults: Faults = {},
): Promise<{ readonly verdict: WorkloadVerdict; readonly log: HistoryLog }> {
  const store = new MemoryStore(faults);
  let now = 0;
  const log = await HistoryLog.open(undefined, () => (now += 1));
  const random = Random.of(7);
  const workload = make({
    open: () => Promise.resolve(store.grid()),
    namespace: 'default',
    log,
    runId: 'run',
    keys: 3,
    read: 'strong',
    random: () => random.unit(),
    processes: new ProcessIds(),
  });
  let left = OPERATIONS;
  const pacer = { turn: () => Promise.resolve(left-- > 0) };
  await Promise.all([workload.client(pacer), workload.client(pacer), workload.client(pacer)]);
  await workload.finish(new AbortController().signal);
  return { verdict: workload.judge(log.events), log };
}

const register = (options: WorkloadOptions): Workload => new RegisterWorkload(options);
const set = (options: WorkloadOptions): Workload => new SetWorkload(options);
const session = (options: WorkloadOptions): Workload => new SessionWorkload(options);

const once = (at: number) => (count: number) => count === at;

test.each([
  { name: 'register', make: register },
  { name: 'set', make: set },
  { name: 'session', make: session },
])('$name: a store that keeps its promises passes', async ({ make }) => {
  const { verdict, log } = await judged(make);
  expect(verdict).toMatchObject({ kind: 'valid', problems: [] });
  expect(log.events.length).toBeGreaterThanOrEqual(2 * OPERATIONS);
});

test.each<{ name: string; make: typeof register; what: string; faults: Faults }>([
  { name: 'register', make: register, what: 'forgets a write', faults: { forgets: once(30) } },
  {
    name: 'register',
    make: register,
    what: 'reads what was before',
    faults: { isStale: once(80) },
  },
  { name: 'set', make: set, what: 'forgets a write', faults: { forgets: once(200) } },
  { name: 'session', make: session, what: 'forgets a write', faults: { forgets: once(30) } },
  { name: 'session', make: session, what: 'reads what was before', faults: { isStale: once(150) } },
])('$name: a store that $what is found out', async ({ make, faults }) => {
  const { verdict } = await judged(make, faults);
  expect(verdict.kind).toBe('violation');
  expect(verdict.problems).not.toEqual([]);
});

test.each([
  { name: 'register', make: register },
  { name: 'set', make: set },
  { name: 'session', make: session },
])('$name: writes of unknown outcome are no violation, and end their process', async ({ make }) => {
  const timesOut = (count: number) =>
    count % 10 !== 0 ? undefined : count % 20 === 0 ? 'applied' : 'lost';
  const { verdict, log } = await judged(make, { timesOut });
  expect(verdict.kind).toBe('valid');
  const unknown = log.events.filter(({ type }) => type === 'info');
  expect(unknown.length).toBeGreaterThan(5);
  for (const { process, index } of unknown) {
    const later = log.events.slice(index + 1).filter((event) => event.process === process);
    expect(later).toEqual([]);
  }
});
