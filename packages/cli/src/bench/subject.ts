/** What is measured: an operation again and again, or (`mix`, `watch`) a way to combine them. */
export const WORKLOADS = ['set', 'get', 'mix', 'batch', 'list', 'cas', 'near', 'watch'] as const;

export type WorkloadName = (typeof WORKLOADS)[number];

/**
 * One operation on the entries of a `Dataset`, which name themselves by number.
 *
 * - `set` stores entry `n`, whether it is there or not.
 * - `get` reads entry `n` whole. That it is absent is a failure: nobody measures misses.
 * - `batch` stores these entries with one call of the client.
 * - `list` reads every entry of a scope whole. Fewer than the scope has is a failure.
 * - `cas` stores entry `n` unless somebody changed it since this subject last read or wrote it. The
 *   load generator never has two of them for one entry under way, so a conflict is a failure.
 * - `near` reads entry `n` from this process. That another process had to be asked is a failure.
 */
export type BenchOperation =
  | { readonly kind: 'set'; readonly n: number }
  | { readonly kind: 'get'; readonly n: number }
  | { readonly kind: 'batch'; readonly ns: readonly number[] }
  | { readonly kind: 'list'; readonly scope: number }
  | { readonly kind: 'cas'; readonly n: number }
  | { readonly kind: 'near'; readonly n: number };

/** One client library, connected to one running system. */
export interface Subject {
  /** As it stands in tables: `memgrid`, `redis (ioredis)`. */
  readonly name: string;
  /** Of the client and of the server, as far as they tell: `ioredis 5.8, redis 7.0.15`. */
  readonly version: string;
  /** `mix` needs what `get` and `set` need, `watch` needs `set` and `watch`. */
  readonly workloads: ReadonlySet<WorkloadName>;
  /**
   * Fulfilled, with whatever the client gives, when the system has acknowledged it; rejects when it
   * failed, and never hangs for ever.
   */
  run(operation: BenchOperation): Promise<unknown>;
  /**
   * Called when all entries are stored, before anything of this workload is measured: fills a cache,
   * learns versions.
   */
  prepare?(workload: WorkloadName): Promise<void>;
  /**
   * Opens one more watcher of every entry, with a session of its own. Fulfilled when every later
   * change will be heard. Only of a subject with the workload `watch`.
   */
  watch?(watcher: Watcher): Promise<OpenWatch>;
  /** Microseconds of processor time that the servers have used so far, if that can be known. */
  serverCpuUs?(): number | undefined;
  /** Idempotent. Leaves the servers alone. */
  close(): Promise<void>;
}

export interface Watcher {
  /** Entry `n` was changed. */
  heard(n: number): void;
  /** The system says that changes were missed. */
  gap(): void;
}

export interface OpenWatch {
  close(): Promise<void>;
}
