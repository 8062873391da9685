import type { Dataset } from './dataset.ts';
import type { WorkloadName } from './subject.ts';

/** What a closed and an open loop have in common. */
export interface LoadOptions {
  readonly workload: WorkloadName;
  readonly dataset: Dataset;
  /** Measured. */
  readonly seconds: number;
  /** Driven before that in the same way, and not counted. */
  readonly warmupSeconds: number;
  /** Which entries: all as often, or some much more often than others (Zipf, exponent 0.99). */
  readonly keys: 'uniform' | 'zipf';
  /** The same seed chooses the same entries in the same order. */
  readonly seed: number;
  /** Of the workload `watch`: how many listen. Default 1. */
  readonly watchers?: number;
  /** Ends the load: what was measured until then is the result, marked as interrupted. */
  readonly signal?: AbortSignal;
  /** Told about ten times a second. */
  readonly progress?: (progress: LoadProgress) => void;
}

export interface ClosedLoopOptions extends LoadOptions {
  /** Operations under way at any time: as soon as one ends the next begins. */
  readonly inFlight: number;
}

export interface OpenLoopOptions extends LoadOptions {
  /** Operations that are due each second, whether earlier ones have ended or not. */
  readonly rate: number;
  /** More than this wait for their turn, and their latency counts meanwhile. Default 10,000. */
  readonly inFlightMax?: number;
}

export interface LoadProgress {
  readonly phase: 'warmup' | 'measuring';
  /** Since the phase began. */
  readonly seconds: number;
  /** Acknowledged since the phase began. */
  readonly operations: number;
  readonly failed: number;
}
