import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isClusterError, type Grid, type ReadLevel } from '@memgrid/client';
import { CommandError } from '../command-error.ts';
import type { ProgressBar } from '../progress/progress-bar.ts';
import { deleteEntries } from './delete-entries.ts';
import { HistoryLog } from './history-log.ts';
import { Pacing } from './pacing.ts';
import { ProcessIds } from './process-ids.ts';
import type { Workload, WorkloadOptions, WorkloadVerdict } from './workload.ts';

export interface RunOptions {
  readonly make: (options: WorkloadOptions) => Workload;
  readonly open: (atLeast?: string) => Promise<Grid>;
  /** Undefined: a namespace of the run's own. */
  readonly namespace: string | undefined;
  readonly seconds: number;
  readonly clients: number;
  readonly keys: number;
  readonly rate: number;
  readonly read: ReadLevel;
  readonly history: string | undefined;
  readonly check: boolean;
  /** Leaves the entries where they are; otherwise they are deleted, unless something is wrong. */
  readonly keep: boolean;
  /** Ends the run: what was done is judged. */
  readonly signal: AbortSignal;
  /** Ends what comes after the run: the last reads and the deleting. */
  readonly hurry: AbortSignal;
  readonly bar: ProgressBar;
}

export interface RunReport {
  readonly runId: string;
  readonly namespace: string;
  readonly durationMs: number;
  /** `missed`: compare-and-sets that found another value, which is no failure. */
  readonly operations: Readonly<Record<'ok' | 'missed' | 'fail' | 'info', number>>;
  /** Undefined when nobody asked. */
  readonly verdict: WorkloadVerdict | undefined;
  readonly left: Left;
}

/** What became of the entries. */
export type Left =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'kept' }
  /** For whoever looks for the cause. */
  | { readonly kind: 'evidence' }
  | { readonly kind: 'notDeleted'; readonly problem: string };

/** Drives a running cluster with many clients for a while, then judges what they saw. */
export async function runWorkload(options: RunOptions): Promise<RunReport> {
  const { make, open, seconds, clients, keys, rate, read, signal, hurry, bar } = options;
  const nowMs = (): number => performance.now();
  const log = await HistoryLog.open(options.history, nowMs);
  const runId = `workload-${randomBytes(4).toString('hex')}`;
  const namespace = options.namespace ?? runId;
  const startedAt = nowMs();
  const processes = new ProcessIds();
  const { random } = Math;
  const workload = make({ open, namespace, log, runId, keys, read, random, processes });
  // A client that fails in a way that nobody foresaw ends the others before the history is closed.
  const failed = new AbortController();
  const pacing = new Pacing({
    rate,
    until: startedAt + seconds * 1_000,
    nowMs,
    pause: (ms) => pause(ms),
    signal: AbortSignal.any([signal, failed.signal]),
    begun: () => bar.update(Math.min(seconds, Math.floor((nowMs() - startedAt) / 1_000))),
  });
  try {
    const ends = await Promise.allSettled(
      Array.from({ length: clients }, () =>
        workload.client(pacing).catch((error: unknown) => {
          failed.abort();
          throw error;
        }),
      ),
    );
    const bad = ends.find((end) => end.status === 'rejected');
    // Whoever has no patience left wants to see what there is, and not what came in between.
    if (bad !== undefined && !hurry.aborted) throw bad.reason;
    await finish(workload, hurry);
  } finally {
    bar.end();
    await log.close();
  }
  const durationMs = Math.round(nowMs() - startedAt);
  const verdict = options.check ? workload.judge(log.events) : undefined;
  const left = await cleanUp(options, { namespace, runId, verdict });
  return { runId, namespace, durationMs, operations: operationsOf(log), verdict, left };
}

/** A set that could not be read in the end is not judged, which the verdict says. */
async function finish(workload: Workload, hurry: AbortSignal): Promise<void> {
  try {
    if (!hurry.aborted) await workload.finish(hurry);
  } catch (error) {
    if (!hurry.aborted) throw error;
  }
}

function operationsOf({ events, missed }: HistoryLog): RunReport['operations'] {
  const count = (type: 'ok' | 'fail' | 'info'): number =>
    events.filter((event) => event.type === type).length;
  return { ok: count('ok'), missed, fail: count('fail') - missed, info: count('info') };
}

interface Ran {
  readonly namespace: string;
  readonly runId: string;
  readonly verdict: WorkloadVerdict | undefined;
}

async function cleanUp({ keep, open, hurry }: RunOptions, ran: Ran): Promise<Left> {
  if (keep) return { kind: 'kept' };
  if (ran.verdict !== undefined && ran.verdict.kind !== 'valid') return { kind: 'evidence' };
  try {
    const grid = await open();
    try {
      await deleteEntries(grid.namespace(ran.namespace), ran.runId, hurry);
    } finally {
      await grid.close();
    }
    return { kind: 'deleted' };
  } catch (error) {
    // The run is over and judged: what could not be tidied up must not hide that.
    if (hurry.aborted) return { kind: 'notDeleted', problem: 'Interrupted.' };
    const isForeseen = isClusterError(error) || error instanceof CommandError;
    if (isForeseen) return { kind: 'notDeleted', problem: error.message };
    throw error;
  }
}
