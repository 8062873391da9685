import { randomBytes } from 'node:crypto';
import { isClusterError, type Grid, type ReadLevel, type SyncClass } from '@memgrid/client';
import { CommandError } from '../command-error.ts';
import { counted } from '../progress/progress-bar.ts';
import type { ProgressBar } from '../progress/progress-bar.ts';
import { benchReport, type BenchReport } from './bench-report.ts';
import type { Dataset } from './dataset.ts';
import { measuredOn } from './measured-on.ts';
import { MemgridSubject, type SubjectSession } from './memgrid-subject.ts';
import { runRounds, type LoadPlan, type RoundsProgress } from './rounds.ts';
import { storeDataset } from './store-dataset.ts';

export interface BenchClusterOptions {
  readonly open: (session: SubjectSession) => Promise<Grid>;
  /** For the report: where the client began. */
  readonly nodes: readonly string[];
  readonly dataset: Dataset;
  readonly plans: readonly LoadPlan[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly seed: number;
  readonly watchers: number;
  readonly read: ReadLevel;
  readonly sync: SyncClass;
  /** Leaves the entries where they are. */
  readonly keep: boolean;
  /** Ends the measuring: what was measured is reported. */
  readonly signal: AbortSignal;
  /** Ends the deleting as well. */
  readonly hurry: AbortSignal;
  /** A bar of its own for each part of the work. */
  readonly bar: (label: string, unit: string, total: number) => ProgressBar;
}

export interface BenchClusterResult {
  readonly report: BenchReport;
  readonly namespace: string;
  readonly left: BenchLeft;
}

/** What became of the entries. */
export type BenchLeft =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'kept' }
  | { readonly kind: 'notDeleted'; readonly problem: string };

/**
 * Stores the entries in a namespace of their own, measures, and deletes them.
 *
 * @throws what `open` throws when no node lets this client in, and what the first write that fails
 * rejects with: without its entries nothing can be measured.
 */
export async function benchCluster(options: BenchClusterOptions): Promise<BenchClusterResult> {
  const { dataset, read, sync, open } = options;
  const namespace = `bench-${randomBytes(4).toString('hex')}`;
  const about = await measuredOn();
  const version = `memgrid ${about.versions.memgrid}`;
  const at = new Date().toISOString();
  const subject = await MemgridSubject.open({ open, version, dataset, namespace, read, sync });
  try {
    await store(subject, options);
    const rows = await measure(subject, options);
    const title = `memgrid bench ${options.nodes.join(', ')}`;
    const configuration = configurationOf(options);
    const report = benchReport({ ...about, title, at, configuration, rows });
    return { report, namespace, left: await cleanUp(subject, options) };
  } catch (error) {
    const left = await cleanUp(subject, options);
    if (left.kind !== 'notDeleted') throw error;
    throw withLeft(error, namespace, left.problem);
  } finally {
    await subject.close();
  }
}

/** An interruption is no failure: then there is simply nothing to measure. */
async function store(subject: MemgridSubject, options: BenchClusterOptions): Promise<void> {
  const { dataset, signal } = options;
  const bar = options.bar('storing', 'entries', dataset.count);
  try {
    await storeDataset(subject, dataset, { signal, progress: (stored) => bar.update(stored) });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    bar.end();
  }
}

async function measure(
  subject: MemgridSubject,
  options: BenchClusterOptions,
): Promise<BenchReport['rows']> {
  const { plans, dataset, rounds, seconds, warmupSeconds, seed, watchers, signal } = options;
  const each = warmupSeconds + seconds;
  const bar = options.bar('measuring', 'seconds', plans.length * rounds * each);
  const progress = (now: RoundsProgress): void => {
    const before = (plans.indexOf(now.plan) * rounds + now.round - 1) * each;
    const isWarmup = now.phase === 'warmup';
    const within = isWarmup ? now.seconds : warmupSeconds + now.seconds;
    const rate = now.seconds === 0 ? 0 : Math.round(now.operations / now.seconds);
    const failed = now.failed === 0 ? [] : [`${counted(now.failed)} failed`];
    const where = `${now.plan.workload}, round ${now.round} of ${rounds}`;
    const what = [where, isWarmup ? 'warm-up' : `${counted(rate)}/s`, ...failed];
    bar.update(
      Math.min(Math.floor(before + within), plans.length * rounds * each),
      what.join('  '),
    );
  };
  try {
    return await runRounds({
      subjects: [subject],
      plans,
      dataset,
      rounds,
      seconds,
      warmupSeconds,
      seed,
      watchers,
      signal,
      progress,
    });
  } finally {
    bar.end();
  }
}

async function cleanUp(
  subject: MemgridSubject,
  { keep, hurry, dataset, ...options }: BenchClusterOptions,
): Promise<BenchLeft> {
  if (keep) return { kind: 'kept' };
  const bar = options.bar('deleting', 'entries', dataset.count);
  try {
    await subject.forget(hurry, (deleted) => bar.update(deleted));
    return { kind: 'deleted' };
  } catch (error) {
    // What was measured must not be lost because something could not be tidied up.
    if (hurry.aborted) return { kind: 'notDeleted', problem: 'Interrupted.' };
    if (isClusterError(error)) return { kind: 'notDeleted', problem: error.message };
    throw error;
  } finally {
    bar.end();
  }
}

function withLeft(error: unknown, namespace: string, problem: string): unknown {
  if (!isClusterError(error)) return error;
  return new CommandError(error.code, error.message, {
    hint: `Entries are left in namespace ${namespace}: ${problem}`,
    cause: error,
  });
}

function configurationOf(options: BenchClusterOptions): BenchReport['configuration'] {
  const { dataset, rounds, seconds, warmupSeconds, seed, watchers, read, sync, plans } = options;
  return {
    nodes: options.nodes.join(', '),
    entries: dataset.count,
    size: dataset.size,
    texts: dataset.source,
    'bytes of an entry': dataset.bytesMean,
    rounds,
    seconds,
    'warm-up seconds': warmupSeconds,
    seed,
    durability: 'quorum',
    sync,
    read,
    keys: [...new Set(plans.map(({ keys }) => keys ?? 'by workload'))].join(', '),
    watchers: plans.some(({ workload }) => workload === 'watch') ? watchers : null,
  };
}
