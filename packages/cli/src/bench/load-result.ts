import type { WorkloadName } from './subject.ts';

/** Milliseconds; 0 where nothing was measured. */
export interface LatencyMs {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** What one load on one subject gave. */
export interface LoadResult {
  readonly workload: WorkloadName;
  /** Operations acknowledged within `seconds`. */
  readonly operations: number;
  /** Operations begun within `seconds` that failed or were not answered in time. */
  readonly failed: number;
  /** What was said of them, and how often. */
  readonly failures: readonly Failure[];
  /** How long was measured, the warm-up not included. */
  readonly seconds: number;
  readonly perSecond: number;
  /**
   * Of the operations that were begun within `seconds` and acknowledged at some time. In a closed
   * loop from the call, in an open loop from the moment at which it was due.
   */
  readonly latencyMs: LatencyMs;
  /** Microseconds of processor time of this process for each acknowledged operation. */
  readonly clientCpuUs: number;
  /** The same of the servers; undefined when the subject cannot tell. */
  readonly serverCpuUs: number | undefined;
  /** Of an open loop: what was to begin each second. */
  readonly rate: number | undefined;
  /** Of the workload `watch`. */
  readonly watch: WatchResult | undefined;
  readonly end: LoadEnd;
  /** What a subject that died said last. */
  readonly problem: string | undefined;
}

/**
 * `complete`: the whole time was measured. `interrupted`: somebody asked to stop. `died`: the subject
 * stopped answering. What was measured until then is true in all three.
 */
export type LoadEnd = 'complete' | 'interrupted' | 'died';

export interface Failure {
  /** An error code, or the beginning of the message. */
  readonly what: string;
  readonly count: number;
}

export interface WatchResult {
  readonly watchers: number;
  /** Changes heard, of all watchers together. */
  readonly deliveries: number;
  readonly deliveriesPerSecond: number;
  /** Acknowledged changes times watchers, less what was heard. */
  readonly missing: number;
  /** Times that a watcher was told that it missed something. */
  readonly gaps: number;
  /** From the call of the writer until a watcher heard of it. */
  readonly lagMs: LatencyMs;
}
