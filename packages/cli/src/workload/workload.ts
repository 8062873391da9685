import { isClusterError, type Grid, type ReadLevel } from '@memgrid/client';
import type { HistoryEvent } from '@memgrid/simulator';
import type { Begun, Ended, HistoryLog } from './history-log.ts';
import type { ProcessIds } from './process-ids.ts';

/** What drives a cluster for a while and is judged by what its clients saw. */
export interface Workload {
  /** One client that does one thing after another until `running` is false. */
  client(pacer: Pacer): Promise<void>;
  /** What has to be read once nothing is written any more; sooner over when `hurry` is aborted. */
  finish(hurry: AbortSignal): Promise<void>;
  /** What the checker says. */
  judge(events: readonly HistoryEvent[]): WorkloadVerdict;
}

export interface WorkloadVerdict {
  /** `unknown`: nothing wrong was seen, and not everything could be judged. */
  readonly kind: 'valid' | 'violation' | 'unknown';
  /** A sentence or several lines each. */
  readonly problems: readonly string[];
  readonly facts: Readonly<Record<string, number>>;
}

export interface WorkloadOptions {
  /** Opens a session of its own; a token of another is carried over. */
  readonly open: (atLeast?: string) => Promise<Grid>;
  readonly namespace: string;
  readonly log: HistoryLog;
  /** Tells this run's entries from those of every other. */
  readonly runId: string;
  readonly keys: number;
  readonly read: ReadLevel;
  /** 0 to 1, as `Math.random`. */
  readonly random: () => number;
  readonly processes: ProcessIds;
}

/** Says when a client may begin its next operation. */
export interface Pacer {
  /** False: no more. */
  turn(): Promise<boolean>;
}

/** How an attempted operation ended. */
export type Attempt = { readonly ok: true } | { readonly ok: false; readonly unknown: boolean };

/**
 * Carries out one operation and records both of its ends. An operation that failed without being
 * applied is a `fail`, also when it is a compare-and-set that `missed`: the cluster said, as it has
 * to, that another value is there. A write whose fate nobody knows is an `info`.
 */
export async function recorded(
  log: HistoryLog,
  begun: Begun,
  operate: () => Promise<Ended | 'fail' | 'missed'>,
): Promise<Attempt> {
  const event = log.begin(begun);
  try {
    const ended = await operate();
    if (ended === 'fail' || ended === 'missed') {
      log.end(event, 'fail');
      if (ended === 'missed') log.noteMissed();
      return { ok: false, unknown: false };
    }
    log.end(event, 'ok', ended);
    return { ok: true };
  } catch (error) {
    // Anything else is a bug here, and must not look like a fault of the cluster.
    if (!isClusterError(error)) throw error;
    // A read changes nothing, so its failure leaves nothing open.
    const unknown = begun.f !== 'read' && error.applied !== 'no';
    log.end(event, unknown ? 'info' : 'fail');
    return { ok: false, unknown };
  }
}
