import {
  numbersOf,
  type BenchRow,
  type LoadPlan,
  type LoadResult,
  type MissingSubject,
} from 'memgrid/bench';
import type { Running } from '../peers/servers.ts';
import { NotInstalledError } from '../peers/program.ts';
import { LoadClient } from './load-client.ts';
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
  const { systems, plans, progress } = options;
  await using stack = new AsyncDisposableStack();
  const started: string[] = [];
  const missing: MissingSubject[] = [];
  const contestants: Contestant[] = [];
  for (const system of systems) {
    if (options.signal.aborted) break;
    const running = await startOf(system, missing);
    if (running === undefined) continue;
    stack.use(running);
    started.push(running.title);
    progress(`${running.title}: storing ${options.dataset.count} entries through each client`);
    for (const target of system.targets(running)) {
      const { dataset } = options;
      const client = stack.use(await LoadClient.connect({ target, dataset, pids: running.pids }));
      contestants.push({ client, rounds: new Map(), problem: undefined });
      await client.fill();
    }
  }
  for (const plan of plans) await measure(contestants, plan, options);
  const rows = plans.flatMap((plan) => contestants.map((one) => rowOf(one, plan, options)));
  return { rows, missing, systems: started };
}

async function startOf(system: System, missing: MissingSubject[]): Promise<Running | undefined> {
  try {
    return await system.start();
  } catch (error) {
    if (!(error instanceof NotInstalledError)) throw error;
    missing.push({ subject: system.title, reason: error.message });
    return undefined;
  }
}

async function measure(
  contestants: readonly Contestant[],
  plan: LoadPlan,
  options: ComparisonOptions,
): Promise<void> {
  const able = contestants.filter(({ client }) => client.facts.workloads.includes(plan.workload));
  for (const contestant of able) {
    if (contestant.problem === undefined) await contestant.client.prepare(plan.workload);
  }
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const contestant of able) {
      if (options.signal.aborted || contestant.problem !== undefined) continue;
      const rounds = contestant.rounds.get(plan) ?? [];
      contestant.rounds.set(plan, rounds);
      const { name } = contestant.client.facts;
      try {
        const result = await contestant.client.load(loadOf(plan, round, options), options.signal);
        rounds.push(result);
        if (result.end === 'died') contestant.problem = result.problem ?? 'It stopped answering.';
        options.progress(
          `${plan.workload}, round ${round} of ${options.rounds}: ${name} ` +
            `${Math.round(result.perSecond).toLocaleString('en-US')} a second` +
            (result.failed === 0 ? '' : `, ${result.failed} failed`),
        );
      } catch (error) {
        contestant.problem = (error as Error).message;
      }
      if (contestant.problem !== undefined) {
        options.progress(`${name} is not measured any more: ${contestant.problem}`);
      }
    }
  }
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

function rowOf(contestant: Contestant, plan: LoadPlan, { signal }: ComparisonOptions): BenchRow {
  const { name, version, workloads } = contestant.client.facts;
  const rounds = contestant.rounds.get(plan) ?? [];
  const isOffered = workloads.includes(plan.workload);
  const end =
    contestant.problem !== undefined ? 'died' : signal.aborted ? 'interrupted' : 'complete';
  return {
    subject: name,
    version,
    plan,
    numbers: numbersOf(rounds),
    end: isOffered ? end : 'notOffered',
    problem: isOffered ? contestant.problem : undefined,
    rounds,
  };
}
