import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Grid, ReadLevel } from '@memgrid/client';
import type { ProgressBar } from '../progress/progress-bar.ts';
import { HistoryLog } from './history-log.ts';
import { Pacing } from './pacing.ts';
import { ProcessIds } from './process-ids.ts';
import type { Workload, WorkloadOptions, WorkloadVerdict } from './workload.ts';

export interface RunOptions {
  readonly make: (options: WorkloadOptions) => Workload;
  readonly open: (atLeast?: string) => Promise<Grid>;
  readonly namespace: string;
  readonly seconds: number;
  readonly clients: number;
  readonly keys: number;
  readonly rate: number;
  readonly read: ReadLevel;
  readonly history: string | undefined;
  readonly check: boolean;
  readonly signal: AbortSignal;
  readonly bar: ProgressBar;
}

export interface RunReport {
  readonly runId: string;
  readonly durationMs: number;
  readonly operations: Readonly<Record<'ok' | 'fail' | 'info', number>>;
  /** Undefined when nobody asked. */
  readonly verdict: WorkloadVerdict | undefined;
}

/** Drives a running cluster with many clients for a while, then judges what they saw. */
export async function runWorkload(options: RunOptions): Promise<RunReport> {
  const { make, open, namespace, seconds, clients, keys, rate, read, signal, bar } = options;
  const nowMs = (): number => performance.now();
  const log = await HistoryLog.open(options.history, nowMs);
  const runId = `run-${randomBytes(4).toString('hex')}`;
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
    if (bad !== undefined) throw bad.reason;
    await workload.finish();
  } finally {
    bar.end();
    await log.close();
  }
  return {
    runId,
    durationMs: Math.round(nowMs() - startedAt),
    operations: {
      ok: log.events.filter(({ type }) => type === 'ok').length,
      fail: log.events.filter(({ type }) => type === 'fail').length,
      info: log.events.filter(({ type }) => type === 'info').length,
    },
    verdict: options.check ? workload.judge(log.events) : undefined,
  };
}
