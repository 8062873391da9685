import {
  numbersOf,
  type BenchRow,
  type LoadPlan,
  type LoadResult,
  type MissingSubject,
} from 'memgrid/bench';
import type { Running } from '../peers/servers.ts';
import { NotInstalledError } from '../peers/program.ts';
import { LoadClient, type LoadClientOptions } from './load-client.ts';
import type { DatasetChoice, Load } from './load-protocol.ts';
import type { System } from './systems.ts';

export interface ComparisonOptions {
  readonly systems: readonly System[];
  readonly plans: readonly LoadPlan[];
  readonly dataset: DatasetChoice;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Ends it: what was measured until then is the result. */
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
}

/** What a comparison gave: a row for each client of each system under each load. */
export interface Comparison {
  readonly rows: readonly BenchRow[];
  /** Systems that are not installed here, and what to do about that. */
  readonly missing: readonly MissingSubject[];
  /** What ran, with versions and configuration. */
  readonly systems: readonly string[];
}

/** One client of one system, in a process of its own. */
interface Contestant {
  readonly client: LoadClient;
  readonly rounds: Map<LoadPlan, LoadResult[]>;
  /** Why it is not asked any more. */
  problem: string | undefined;
}

/**
 * Starts every system and a process for every client, and measures them in turn (A B A B …), so that
 * whatever else the machine does meets all of them alike. Only one is under load at a time; the other
 * servers are up and idle.
 *
 * A system that dies is not asked again, and the others go on. Everything that was started is stopped,
 * however this ends.
 */
export async function compare(options: ComparisonOptions): Promise<Comparison> {
  const { systems, plans } = options;
  await using stack = new AsyncDisposableStack();
  const places = await allOf(systems.map((system) => prepared(system, stack, options)));
  const contestants = places.flatMap((place) => place.contestants);
  for (const plan of plans) await measure(contestants, plan, options);
  const rows = plans.flatMap((plan) => contestants.map((one) => rowOf(one, plan, options)));
  return {
    rows,
    missing: places.flatMap(({ missing }) => missing),
    systems: places.flatMap(({ title }) => title ?? []),
  };
}

/** Waits for all of them also when one fails: nothing is started behind the back of who stops it. */
async function allOf<Value>(promises: readonly Promise<Value>[]): Promise<readonly Value[]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}

/** A system and its clients, or why there is none. */
interface Place {
  readonly title: string | undefined;
  readonly contestants: readonly Contestant[];
  readonly missing: readonly MissingSubject[];
}

/** Starts a system and connects its clients; whatever was started is on the stack, also after a failure. */
async function prepared(
  system: System,
  stack: AsyncDisposableStack,
  { dataset, progress, signal }: ComparisonOptions,
): Promise<Place> {
  const running = await startOf(system);
  if (running instanceof NotInstalledError) {
    const missing = [{ subject: system.title, reason: running.message }];
    return { title: undefined, contestants: [], missing };
  }
  stack.use(running);
  const { title, pids } = running;
  progress(`${title}: is up`);
  const contestants: Contestant[] = [];
  for (const target of system.targets(running)) {
    if (signal.aborted) break;
    const client = stack.use(await connected({ target, dataset, pids }, title));
    const contestant: Contestant = { client, rounds: new Map(), problem: undefined };
    contestants.push(contestant);
    await asked(contestant, progress, () => client.fill());
  }
  progress(`${title}: has ${dataset.count} entries`);
  return { title, contestants, missing: [] };
}

async function connected(options: LoadClientOptions, title: string): Promise<LoadClient> {
  try {
    return await LoadClient.connect(options);
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`A client of ${title} cannot connect: ${message}`, { cause: error });
  }
}

async function startOf(system: System): Promise<Running | NotInstalledError> {
  try {
    return await system.start();
  } catch (error) {
    if (error instanceof NotInstalledError) return error;
    throw error;
  }
}

async function measure(
  contestants: readonly Contestant[],
  plan: LoadPlan,
  options: ComparisonOptions,
): Promise<void> {
  const able = contestants.filter(({ client }) => client.facts.workloads.includes(plan.workload));
  for (const contestant of able) {
    await asked(contestant, options.progress, () => contestant.client.prepare(plan.workload));
  }
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const contestant of able) {
      if (options.signal.aborted) return;
      await asked(contestant, options.progress, () =>
        measureOnce(contestant, { plan, round, options }),
      );
    }
  }
}

interface Turn {
  readonly plan: LoadPlan;
  readonly round: number;
  readonly options: ComparisonOptions;
}

/** @throws Error when the system died, whose numbers until then are kept. */
async function measureOnce(
  { client, rounds }: Contestant,
  { plan, round, options }: Turn,
): Promise<void> {
  const result = await client.load(loadOf(plan, round, options), options.signal);
  rounds.set(plan, [...(rounds.get(plan) ?? []), result]);
  const { perSecond, end, problem } = result;
  options.progress(
    `${plan.workload}, round ${round} of ${options.rounds}: ${client.facts.name} ` +
      `${Math.round(perSecond).toLocaleString('en-US')} a second${failuresText(result)}`,
  );
  if (end === 'died') throw new Error(problem ?? 'It stopped answering.');
}

/** After a failure a contestant is asked nothing more. */
async function asked(
  contestant: Contestant,
  progress: (text: string) => void,
  ask: () => Promise<void>,
): Promise<void> {
  if (contestant.problem !== undefined) return;
  try {
    await ask();
  } catch (error) {
    contestant.problem = (error as Error).message;
    const { name } = contestant.client.facts;
    progress(`${name} is not measured any more: ${contestant.problem}`);
  }
}

/** `, 12 failed (OVERLOADED)`: the commonest reason is enough while it runs. */
function failuresText({ failed, failures }: LoadResult): string {
  return failed === 0 ? '' : `, ${failed} failed (${failures[0]?.what})`;
}

/** Of the workload `watch`: sessions that hear every change. */
const WATCHERS = 8;

/** Each round has entries of its own, the same ones for every client. */
export function loadOf(
  { workload, loop, keys }: LoadPlan,
  round: number,
  { seconds, warmupSeconds }: Pick<ComparisonOptions, 'seconds' | 'warmupSeconds'>,
): Load {
  return {
    workload,
    drive: loop,
    seconds,
    warmupSeconds,
    keys: keys ?? (workload === 'mix' ? 'zipf' : 'uniform'),
    seed: round,
    watchers: WATCHERS,
  };
}

function rowOf(contestant: Contestant, plan: LoadPlan, options: ComparisonOptions): BenchRow {
  const { name, version, workloads } = contestant.client.facts;
  const rounds = contestant.rounds.get(plan) ?? [];
  const isOffered = workloads.includes(plan.workload);
  const isWhole = rounds.length === options.rounds && rounds.every(({ end }) => end === 'complete');
  const end = isWhole ? 'complete' : contestant.problem === undefined ? 'interrupted' : 'died';
  return {
    subject: name,
    version,
    plan,
    numbers: numbersOf(rounds),
    end: isOffered ? end : 'notOffered',
    problem: isOffered && end === 'died' ? contestant.problem : undefined,
    rounds,
  };
}
