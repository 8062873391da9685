import type { Durability, ReadLevel, SyncClass } from '@memgrid/protocol';

/** What every call takes. */
export interface CallOptions {
  /** Ends the waiting: the call rejects with `signal.reason`. What was sent may still happen. */
  readonly signal?: AbortSignal;
  /** Then the call rejects with `TIMEOUT`, whose `applied` says what is known. */
  readonly timeoutMs?: number;
  /** Refuse rather than answer on one side of a split only. Default false. */
  readonly noAutonomous?: boolean;
}

export interface ReadOptions extends CallOptions {
  /** `one` (default): any replica that has what this session saw; `quorum`, `strong`: linearizable. */
  readonly read?: ReadLevel;
  /** A token of another session: this and every later read sees at least what that one saw. */
  readonly atLeast?: string;
  /**
   * The version of the namespace's schema that this program knows: entries are shown in it, however
   * they are stored. Left out, they are shown in the committed version.
   */
  readonly schemaVersion?: number;
}

export interface GetOptions extends ReadOptions {
  /**
   * How old an answer from the near cache may be, at most what `nearCache.maxStalenessMs` allows;
   * 0 always asks a node. Only for reads at `one`.
   */
  readonly maxStalenessMs?: number;
}

export interface WriteOptions extends CallOptions {
  /** `quorum` (default): a majority of the replicas has it; `one`: the primary has it. */
  readonly durability?: Durability;
  /** What "has it" means. Default `disk`. */
  readonly sync?: SyncClass;
  /**
   * A UUID of yours that names this write: asking again with it, from any process, gives the same
   * outcome and does nothing twice, also for an entry without an id of its own. Left out, the client
   * makes one and uses it for its own retries; a failed write has it as `error.operationId`.
   */
  readonly operationId?: string;
}

export interface PutOptions extends WriteOptions {
  /** Only when the stored entry still has this version. Not together with `ifAbsent`. */
  readonly ifVersion?: string;
  /** Only when there is no such entry. */
  readonly ifAbsent?: boolean;
}

export interface ChangeOptions extends WriteOptions {
  /** The version of the schema that a patch speaks of. Left out, the committed one. */
  readonly schemaVersion?: number;
  /** Only when the stored entry still has this version. */
  readonly ifVersion?: string;
}

export interface ListOptions extends ReadOptions {
  /** Entries a page, 1 to 1,000. Default 100. */
  readonly limit?: number;
  /** Of the page before, for the same owner. */
  readonly cursor?: string;
}

export interface WatchOptions {
  /** The position of an item of an earlier watch of the same entries: goes on right after it. */
  readonly since?: string;
  /** Ends the watch: the iteration rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}
