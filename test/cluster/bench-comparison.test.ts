import { expect, test } from 'vitest';
import { PortInUseError } from '../../bench/peers/free-ports.ts';
import { NotInstalledError } from '../../bench/peers/program.ts';
import type { Running } from '../../bench/peers/servers.ts';
import { compare, type ComparisonOptions } from '../../bench/throughput/comparison.ts';
import { memgrid, type System } from '../../bench/throughput/systems.ts';
import { isRunning } from './until.ts';

const PLAN = { workload: 'set', loop: { kind: 'closed', inFlight: 8 } } as const;

function options(
  systems: readonly System[],
  { signal = new AbortController().signal, ...rest }: Partial<ComparisonOptions> = {},
): ComparisonOptions {
  return {
    systems,
    plans: [PLAN],
    dataset: { size: 'turns', count: 100 },
    rounds: 2,
    seconds: 0.5,
    warmupSeconds: 0,
    signal,
    progress: () => undefined,
    ...rest,
  };
}

/** A node of memgrid under another name, and what it runs on, for whoever looks after it is gone. */
class Watched {
  readonly running: Running[] = [];
  readonly system: System;
  readonly #up = Promise.withResolvers<void>();

  constructor(title: string) {
    const system = memgrid(1, 'memory');
    this.system = {
      title,
      start: async () => {
        const running = await system.start();
        this.running.push(running);
        this.#up.resolve();
        return running;
      },
      targets: ({ addresses }) => [{ kind: 'memgrid', title, addresses, sync: 'memory' }],
    };
  }

  /** Resolves once it runs. */
  get isUp(): Promise<void> {
    return this.#up.promise;
  }

  get pids(): readonly number[] {
    return this.running.flatMap(({ pids }) => pids);
  }
}

test('a system that dies in the middle has a partial row; the others go on, and all are stopped', async () => {
  const [mortal, survivor] = [new Watched('mortal'), new Watched('survivor')];
  const told: string[] = [];
  const progress = (text: string): void => {
    told.push(text);
    const [pid] = mortal.pids;
    if (text.startsWith('set, round 1 of 2: mortal') && pid !== undefined)
      process.kill(pid, 'SIGKILL');
  };
  const { rows } = await compare(options([mortal.system, survivor.system], { progress }));
  const [dead, alive] = rows;
  expect(dead).toMatchObject({ subject: 'mortal', end: 'died' });
  expect(dead?.problem).toBeTruthy();
  // What was measured until then is there.
  expect(dead?.rounds[0]).toMatchObject({ end: 'complete', failed: 0 });
  expect(alive).toMatchObject({ subject: 'survivor', end: 'complete', problem: undefined });
  expect(alive?.rounds).toHaveLength(2);
  expect(told.some((text) => text.startsWith('mortal is not measured any more: '))).toBe(true);
  expect([...mortal.pids, ...survivor.pids].filter(isRunning)).toEqual([]);
});

test('an interruption ends it with what was measured, and stops everything', async () => {
  const watched = new Watched('memgrid');
  const stop = new AbortController();
  const progress = (text: string): void => {
    if (text.startsWith('set, round 1')) stop.abort();
  };
  const { rows } = await compare(options([watched.system], { progress, signal: stop.signal }));
  expect(rows).toMatchObject([{ end: 'interrupted', rounds: [{ end: 'complete' }] }]);
  expect(watched.pids.filter(isRunning)).toEqual([]);
});

test('a peer that is not installed is named with what to do, and the others are measured', async () => {
  const watched = new Watched('memgrid');
  const nowhere: System = {
    title: 'Nowhere',
    start: () =>
      Promise.reject(new NotInstalledError({ name: 'no-such-server', aptPackage: 'some-package' })),
    targets: () => [],
  };
  const { rows, missing } = await compare(options([nowhere, watched.system], { rounds: 1 }));
  expect(missing).toEqual([
    { subject: 'Nowhere', reason: 'not installed: apt-get install some-package' },
  ]);
  expect(rows).toMatchObject([{ subject: 'memgrid', end: 'complete' }]);
});

test('a peer that cannot have a port: the error says so, and what ran already is stopped', async () => {
  const watched = new Watched('memgrid');
  const taken: System = {
    title: 'Taken',
    start: async () => {
      // Only once the other one is up, or there would be nothing to stop.
      await watched.isUp;
      throw new PortInUseError('taken-server ended at once: Address already in use');
    },
    targets: () => [],
  };
  await expect(compare(options([taken, watched.system]))).rejects.toThrow(PortInUseError);
  expect(watched.pids).toHaveLength(1);
  expect(watched.pids.filter(isRunning)).toEqual([]);
});
