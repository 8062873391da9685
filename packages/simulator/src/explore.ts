import { Worker } from 'node:worker_threads';
import type { Violation } from './checker.ts';
import { simulate } from './simulate.ts';
import type { FaultChoice, SimulateOptions, SimulationReport } from './simulate.ts';
import { addCounts, SOMETIMES, zeroCounts } from './sometimes.ts';
import type { Sometimes, SometimesCounts } from './sometimes.ts';

/** Many days, one a seed. */
export interface ExploreOptions {
  readonly firstSeed: number;
  readonly count: number;
  /** Each seed takes one of these numbers of nodes in turn. Default 3, 5, 7, 4. */
  readonly nodes?: readonly number[];
  readonly durationMs?: number;
  readonly faults?: FaultChoice;
  /** Threads. Default 1: in this thread, one after the other. */
  readonly workers?: number;
  /** Told after each seed. */
  readonly progress?: (outcome: SeedOutcome) => void;
  readonly signal?: AbortSignal;
}

/** One seed in short. */
export interface SeedOutcome {
  readonly seed: number;
  readonly nodes: number;
  readonly durationMs: number;
  readonly traceHash: string;
  readonly violations: readonly Violation[];
  readonly healedMs: number | undefined;
  readonly falseDeaths: number;
  readonly simulatedMs: number;
  /** Seeds are run twice now and then: false when the two runs differed. */
  readonly deterministic: boolean;
  readonly sometimes: SometimesCounts;
  /** Operations of applications that ended, each judged: registers, sets, sessions. */
  readonly operations: number;
}

export interface ExploreReport {
  readonly seeds: number;
  readonly simulatedMs: number;
  /** Seeds with violations, or that could not be repeated. */
  readonly failed: readonly SeedOutcome[];
  /** The failed seed, or the one that took longest to become whole. */
  readonly worst: SeedOutcome | undefined;
  readonly falseDeaths: number;
  /** Operations of applications that ended. */
  readonly operations: number;
  readonly sometimes: Readonly<Record<Sometimes, number>>;
  /** What never happened: the blind spots. */
  readonly never: readonly Sometimes[];
}

const NODE_COUNTS: readonly number[] = [3, 5, 7, 4];
/** Every twentieth seed runs twice and must be the same day. */
const REPEATED_EVERY = 20;
/** Every so many seeds a day lasts longer, for what takes minutes: a voter that is replaced. */
const LONG_EVERY = 20;
const LONG_FACTOR = 3;
const DURATION_MS = 60_000;

/** Runs `count` seeds and sums up. Rejects with the signal's reason when aborted. */
export async function explore(options: ExploreOptions): Promise<ExploreReport> {
  const jobs = jobsOf(options);
  const outcomes: SeedOutcome[] = [];
  const done = (outcome: SeedOutcome): void => {
    outcomes.push(outcome);
    options.progress?.(outcome);
  };
  const workers = Math.max(1, Math.min(options.workers ?? 1, jobs.length));
  if (workers === 1) {
    for (const job of jobs) {
      options.signal?.throwIfAborted();
      done(runSeed(job));
      // Lets timers, signals and progress have their turn between two seeds.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } else {
    await runInWorkers(jobs, workers, { done, signal: options.signal });
  }
  return summaryOf(outcomes);
}

/** One seed, and again when it is its turn to be repeated. */
export function runSeed(options: SimulateOptions): SeedOutcome {
  const report = simulate({ ...options, timeline: false });
  const repeated = options.seed % REPEATED_EVERY === 0;
  const again = repeated ? simulate({ ...options, timeline: false }) : report;
  return outcomeOf(report, again.traceHash === report.traceHash);
}

function outcomeOf(report: SimulationReport, deterministic: boolean): SeedOutcome {
  const { seed, nodes, durationMs, traceHash, violations, healedMs } = report;
  const { falseDeaths, simulatedMs, sometimes } = report;
  return {
    seed,
    nodes,
    durationMs,
    traceHash,
    violations,
    healedMs,
    falseDeaths,
    simulatedMs,
    deterministic,
    sometimes,
    operations: Object.values(report.calls).reduce((sum, count) => sum + count, 0),
  };
}

function jobsOf(options: ExploreOptions): readonly SimulateOptions[] {
  const counts = options.nodes ?? NODE_COUNTS;
  return Array.from({ length: options.count }, (_, at) => {
    const seed = options.firstSeed + at;
    const isLong = options.durationMs === undefined && seed % LONG_EVERY === LONG_EVERY / 2;
    return {
      seed,
      nodes: counts[seed % counts.length] ?? 5,
      durationMs: (options.durationMs ?? DURATION_MS) * (isLong ? LONG_FACTOR : 1),
      ...(options.faults === undefined ? {} : { faults: options.faults }),
    };
  });
}

interface Progress {
  readonly done: (outcome: SeedOutcome) => void;
  readonly signal: AbortSignal | undefined;
}

/** Hands out one seed at a time, so that a slow one does not hold up the others. */
async function runInWorkers(
  jobs: readonly SimulateOptions[],
  count: number,
  progress: Progress,
): Promise<void> {
  const waiting = [...jobs];
  const threads = Array.from({ length: count }, () => new Worker(WORKER_URL));
  try {
    await Promise.all(threads.map((thread) => feed(thread, waiting, progress)));
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

const WORKER_URL = new URL(
  import.meta.url.endsWith('.ts') ? './explore-worker.ts' : './explore-worker.js',
  import.meta.url,
);

function feed(thread: Worker, waiting: SimulateOptions[], progress: Progress): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (): void => {
      if (progress.signal?.aborted === true) {
        reject(progress.signal.reason as Error);
        return;
      }
      const job = waiting.shift();
      if (job === undefined) resolve();
      else thread.postMessage(job);
    };
    thread.on('message', (outcome: SeedOutcome) => {
      progress.done(outcome);
      next();
    });
    thread.on('error', reject);
    next();
  });
}

function summaryOf(outcomes: readonly SeedOutcome[]): ExploreReport {
  const sometimes = zeroCounts();
  for (const outcome of outcomes) addCounts(sometimes, outcome.sometimes);
  const sorted = [...outcomes].sort((a, b) => a.seed - b.seed);
  const failed = sorted.filter(isFailure);
  const slowest = [...sorted].sort((a, b) => (b.healedMs ?? 0) - (a.healedMs ?? 0))[0];
  return {
    seeds: outcomes.length,
    simulatedMs: outcomes.reduce((sum, { simulatedMs }) => sum + simulatedMs, 0),
    failed,
    worst: failed[0] ?? slowest,
    falseDeaths: outcomes.reduce((sum, { falseDeaths }) => sum + falseDeaths, 0),
    operations: outcomes.reduce((sum, { operations }) => sum + operations, 0),
    sometimes,
    never: SOMETIMES.filter((what) => sometimes[what] === 0),
  };
}

function isFailure(outcome: SeedOutcome): boolean {
  return outcome.violations.length > 0 || !outcome.deterministic;
}
