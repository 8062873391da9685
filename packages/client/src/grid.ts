import type { BatchItem, BatchResult } from './batch.ts';
import type {
  ChangeOptions,
  GetOptions,
  ListOptions,
  PutOptions,
  ReadOptions,
  WatchOptions,
} from './call-options.ts';
import type {
  Count,
  EntryPatch,
  EntryRef,
  EntryShape,
  Found,
  History,
  NewEntry,
  Owner,
  Page,
  Saved,
  WatchItem,
} from './entry.ts';
import type { GridStatus } from './grid-status.ts';

/**
 * One application's session with a cluster. Made by `connect`; use one for the whole process.
 *
 * Every call rejects with a `ClusterError`, whose `code`, `applied` and `retry` say what happened
 * and what may be done, or with `signal.reason`.
 */
export interface Grid extends AsyncDisposable {
  /** A tenant's entries. Costs nothing; ask for it wherever it is needed. */
  namespace<Shape extends EntryShape = EntryShape>(name: string): Namespace<Shape>;
  /** The present state, then every change; a slow reader sees the newest. Ends with `close`. */
  status(): AsyncIterable<GridStatus>;
  /**
   * What this session has written and seen, as text of at most 1 KiB. Another session that is given
   * it (`atLeast`) reads nothing older.
   */
  token(): string;
  /**
   * Every read from now on sees at least what the session of this token saw.
   *
   * @throws ClusterError BAD_TOKEN when it is no token of this cluster.
   */
  atLeast(token: string): void;
  /** Takes no new calls, waits for those under way, then closes. Idempotent. */
  drain(): Promise<void>;
  /** Ends now: calls under way reject, watches end. Idempotent. */
  close(): Promise<void>;
}

/** The entries of one tenant. */
export interface Namespace<Shape extends EntryShape = EntryShape> {
  readonly name: string;

  /** Stores an entry: a new one, or in place of the one with the same id. */
  put(entry: NewEntry<Shape>, options?: PutOptions): Promise<Saved>;

  /** The entry, or undefined when it is known to be absent: never because of an outage. */
  get(ref: EntryRef, options?: GetOptions): Promise<Found<Shape> | undefined>;

  /** Changes parts of an entry. Rejects with `NOT_FOUND` when there is none. */
  update(ref: EntryRef, patch: EntryPatch<Shape>, options?: ChangeOptions): Promise<Saved>;

  /** Deletes an entry. Deleting what is not there is no error, unless `ifVersion` names a version. */
  delete(ref: EntryRef, options?: ChangeOptions): Promise<Saved>;

  /** The entries of one owner; of everybody in the namespace when the owner is empty. */
  list(owner?: Owner, options?: ListOptions): Promise<Page<Shape>>;

  /** How many there are. */
  count(owner?: Owner, options?: ReadOptions): Promise<Count>;

  history(ref: EntryRef, options?: ReadOptions): Promise<History<Shape>>;

  /** Many calls at once, each with its own outcome. Never rejects because of one of them. */
  batch(items: readonly BatchItem<Shape>[]): Promise<readonly BatchResult<Shape>[]>;

  /** Changes as they are committed, of one owner, one entry, or everybody. */
  watch(filter?: WatchFilter, options?: WatchOptions): Watch<Shape>;

  /**
   * From the near cache only: no waiting, no network. Undefined says nothing about the entry. What
   * comes from there, here and with `get`, is frozen, and the same object for everybody.
   */
  peek(ref: EntryRef): Found<Shape> | undefined;
}

/** Whose changes: an owner's, or those of one entry. Nothing for the whole namespace. */
export type WatchFilter = Owner & { readonly id?: string };

/** Changes, one after another. Iterate it once; leaving the loop ends it. */
export interface Watch<Shape extends EntryShape = EntryShape>
  extends AsyncIterable<WatchItem<Shape>>, AsyncDisposable {
  /** Fulfilled when every change from then on will be seen. */
  readonly ready: Promise<void>;
  /** Ends the iteration without an error. */
  close(): void;
}
