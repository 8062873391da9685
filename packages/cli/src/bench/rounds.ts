import { checkLoad, checkRounds, type CheckedLoad } from './check-load.ts';
import { closedLoop } from './closed-loop.ts';
import type { Dataset } from './dataset.ts';
import { messageOf } from './failure-count.ts';
import { SYSTEM_CLOCK, type LoadClock } from './load-clock.ts';
import type { LoadOptions, LoadProgress } from './load-options.ts';
import type { LoadEnd, LoadResult } from './load-result.ts';
import { openLoop } from './open-loop.ts';
import { numbersOf, type RowNumbers } from './row-numbers.ts';
import { WORKLOADS, type Subject, type WorkloadName } from './subject.ts';

/** One load, for every subject. */
export interface LoadPlan {
  readonly workload: WorkloadName;
  readonly loop:
    | { readonly kind: 'closed'; readonly inFlight: number }
    | { readonly kind: 'open'; readonly rate: number };
  /** Default: `zipf` for `mix`, `uniform` for the others. */
  readonly keys?: 'uniform' | 'zipf';
}

export interface RoundsOptions {
  readonly subjects: readonly Subject[];
  readonly plans: readonly LoadPlan[];
  readonly dataset: Dataset;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Each round has entries of its own, the same ones for every subject. */
  readonly seed: number;
  readonly watchers?: number;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: RoundsProgress) => void;
}

export interface RoundsProgress extends LoadProgress {
  readonly subject: string;
  readonly plan: LoadPlan;
  /** From 1 on. */
  readonly round: number;
}

/** What one subject did under one load, in all rounds. */
export interface BenchRow {
  readonly subject: string;
  readonly version: string;
  readonly plan: LoadPlan;
  /** Medians over the rounds and how far they lie apart; undefined when there was none. */
  readonly numbers: RowNumbers | undefined;
  /** `notOffered`: the subject has no such workload. The others: how the last round ended. */
  readonly end: LoadEnd | 'notOffered';
  /** What a subject that died said last. */
  readonly problem: string | undefined;
  readonly rounds: readonly LoadResult[];
}

/** @throws CommandError BAD_LOAD when this plan makes no sense for a subject that offers its workload. */
export function checkPlan(
  { workload, loop }: LoadPlan,
  subject: Pick<Subject, 'name' | 'workloads'>,
  options: Omit<CheckedLoad['load'], 'workload'>,
): void {
  if (isWorkload(workload) && !subject.workloads.has(workload)) return;
  const load = { ...options, workload };
  if (loop.kind === 'closed') checkLoad({ subject, load, inFlight: loop.inFlight });
  else checkLoad({ subject, load, inFlight: 1, rate: loop.rate });
}

function isWorkload(name: string): name is WorkloadName {
  return (WORKLOADS as readonly string[]).includes(name);
}

interface Row {
  readonly subject: Subject;
  readonly rounds: LoadResult[];
  end: BenchRow['end'];
  problem: string | undefined;
}

/**
 * Measures every subject under every load, several times and in turn (A B A B …), so that whatever
 * else the machine does meets all of them alike. The entries have to be stored already.
 *
 * A subject that dies is not asked again; the others go on. After an interruption nothing begins. Rows
 * without a round are there as well.
 *
 * @throws CommandError BAD_LOAD when an option makes no sense.
 */
export async function runRounds(
  options: RoundsOptions,
  clock: LoadClock = SYSTEM_CLOCK,
): Promise<readonly BenchRow[]> {
  checkRounds(options.rounds);
  for (const plan of options.plans) {
    for (const subject of options.subjects) checkPlan(plan, subject, options);
  }
  const dead = new Map<Subject, string>();
  const rows: BenchRow[] = [];
  for (const plan of options.plans) {
    const measured = options.subjects.map((subject) => rowOf(subject, plan));
    await prepare(measured, plan, dead);
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const row of measured) await runRound(row, { plan, round, options, clock, dead });
    }
    rows.push(...measured.map((row) => shown(row, plan)));
  }
  return rows;
}

function rowOf(subject: Subject, { workload }: LoadPlan): Row {
  const end = subject.workloads.has(workload) ? 'complete' : 'notOffered';
  return { subject, rounds: [], end, problem: undefined };
}

async function prepare(
  rows: readonly Row[],
  { workload }: LoadPlan,
  dead: Map<Subject, string>,
): Promise<void> {
  for (const { subject, end } of rows) {
    if (end === 'notOffered' || dead.has(subject)) continue;
    try {
      await subject.prepare?.(workload);
    } catch (error) {
      dead.set(subject, messageOf(error));
    }
  }
}

interface RoundParts {
  readonly plan: LoadPlan;
  readonly round: number;
  readonly options: RoundsOptions;
  readonly clock: LoadClock;
  readonly dead: Map<Subject, string>;
}

async function runRound(row: Row, parts: RoundParts): Promise<void> {
  const { plan, round, options, clock, dead } = parts;
  const { subject } = row;
  if (row.end === 'notOffered') return;
  const problem = dead.get(subject);
  if (problem !== undefined) {
    row.end = 'died';
    row.problem = problem;
    return;
  }
  if (options.signal?.aborted === true) {
    row.end = 'interrupted';
    return;
  }
  const load = loadOf(options, { plan, round, subject: subject.name });
  const { loop } = plan;
  const result =
    loop.kind === 'closed'
      ? await closedLoop(subject, { ...load, inFlight: loop.inFlight }, clock)
      : await openLoop(subject, { ...load, rate: loop.rate }, clock);
  row.rounds.push(result);
  row.end = result.end;
  row.problem = result.problem;
  if (result.end === 'died') dead.set(subject, result.problem ?? 'It died.');
}

function loadOf(
  options: RoundsOptions,
  { plan, round, subject }: { plan: LoadPlan; round: number; subject: string },
): LoadOptions {
  const { dataset, seconds, warmupSeconds, seed, watchers, signal, progress } = options;
  const { workload } = plan;
  return {
    workload,
    dataset,
    seconds,
    warmupSeconds,
    keys: plan.keys ?? (workload === 'mix' ? 'zipf' : 'uniform'),
    seed: seed + round,
    ...(watchers === undefined ? {} : { watchers }),
    ...(signal === undefined ? {} : { signal }),
    ...(progress === undefined
      ? {}
      : { progress: (now: LoadProgress) => progress({ ...now, subject, plan, round }) }),
  };
}

function shown({ subject, rounds, end, problem }: Row, plan: LoadPlan): BenchRow {
  const { name, version } = subject;
  return { subject: name, version, plan, numbers: numbersOf(rounds), end, problem, rounds };
}
