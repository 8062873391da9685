import type { DatasetSize, LoadResult, WorkloadName } from 'memgrid/bench';
import type { Target } from './target.ts';

/** What a load process is asked to do, one thing after another. */
export type LoadCommand =
  | {
      readonly kind: 'connect';
      readonly target: Target;
      readonly dataset: DatasetChoice;
      /** Of the servers, whose processor time is counted. */
      readonly pids: readonly number[];
    }
  /** Stores every entry, as `set` does. */
  | { readonly kind: 'fill' }
  /** Whatever a workload needs beside that. */
  | { readonly kind: 'prepare'; readonly workload: WorkloadName }
  | { readonly kind: 'load'; readonly load: Load }
  /** Begins a profile that looks so often, or ends the one that runs. */
  | { readonly kind: 'profile'; readonly intervalUs?: number };

/** Ends the load that runs, which then tells what it has. */
export interface LoadInterrupt {
  readonly kind: 'interrupt';
}

export interface DatasetChoice {
  readonly size: DatasetSize;
  readonly count: number;
  readonly turnsFile?: string;
}

/** A load without what cannot be sent to another process. */
export interface Load {
  readonly workload: WorkloadName;
  readonly drive:
    | { readonly kind: 'closed'; readonly inFlight: number }
    | { readonly kind: 'open'; readonly rate: number };
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly keys: 'uniform' | 'zipf';
  readonly seed: number;
  /** Of the workload `watch`. */
  readonly watchers: number;
}

/** What each command gives. */
export interface LoadAnswers {
  readonly connect: SubjectFacts;
  readonly fill: undefined;
  readonly prepare: undefined;
  readonly load: LoadResult;
  /** Of the profile that ended, as JSON text. */
  readonly profile: string | undefined;
}

export interface SubjectFacts {
  readonly name: string;
  readonly version: string;
  readonly workloads: readonly WorkloadName[];
}

export type LoadReply =
  | { readonly kind: 'done'; readonly value: LoadAnswers[LoadCommand['kind']] }
  | { readonly kind: 'failed'; readonly message: string };
