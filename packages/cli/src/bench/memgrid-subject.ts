import type { EntryRef, Grid, Namespace, ReadLevel, SyncClass } from '@memgrid/client';
import { SCOPE_ENTRIES } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { inParallel } from './in-parallel.ts';
import { WORKLOADS } from './subject.ts';
import type { BenchOperation, OpenWatch, Subject, Watcher, WorkloadName } from './subject.ts';

export interface MemgridSubjectOptions {
  /** Opens a session; the subject closes it. */
  readonly open: (session: SubjectSession) => Promise<Grid>;
  readonly name?: string;
  readonly version: string;
  readonly dataset: Dataset;
  /** One of its own: everything in it is deleted at the end. */
  readonly namespace: string;
  /** Of `get` and `list`. */
  readonly read: ReadLevel;
  /** Of every write. They wait for a majority. */
  readonly sync: SyncClass;
  /** Of all nodes together, where that can be known. */
  readonly serverCpuUs?: () => number;
}

/** What a session is for. */
export interface SubjectSession {
  /** Bytes of a near cache; undefined for none. */
  readonly nearBytesMax: number | undefined;
}

/** Room for every entry and what the cache keeps beside it. */
const NEAR_BYTES_PER_ENTRY = 2_048;
/** Calls of one batch while entries are deleted. */
const DELETE_BATCH = 50;
const DELETES_IN_PARALLEL = 8;
const READS_IN_PARALLEL = 64;

/** A memgrid cluster, through `@memgrid/client`. */
export class MemgridSubject implements Subject {
  readonly name: string;
  readonly version: string;
  readonly workloads: ReadonlySet<WorkloadName> = new Set(WORKLOADS);
  readonly #options: MemgridSubjectOptions;
  readonly #grid: Grid;
  readonly #entries: Namespace;
  readonly #refs: readonly EntryRef[];
  readonly #writeOptions: { readonly sync: SyncClass };
  readonly #readOptions: { readonly read: ReadLevel };
  readonly #listOptions: { readonly read: ReadLevel; readonly limit: number };
  /** Of entries that this subject has read or written, for `cas`. */
  readonly #versions: string[] = [];
  #near: { readonly grid: Grid; readonly entries: Namespace } | undefined;

  private constructor(options: MemgridSubjectOptions, grid: Grid) {
    const { name = 'memgrid', version, dataset, namespace, read, sync } = options;
    this.name = name;
    this.version = version;
    this.#options = options;
    this.#grid = grid;
    this.#entries = grid.namespace(namespace);
    this.#refs = Array.from({ length: dataset.count }, (_, n) => refOf(dataset, n));
    this.#writeOptions = { sync };
    this.#readOptions = { read };
    this.#listOptions = { read, limit: SCOPE_ENTRIES };
  }

  /** @throws what `open` throws when no node lets this client in. */
  static async open(options: MemgridSubjectOptions): Promise<MemgridSubject> {
    return new MemgridSubject(options, await options.open({ nearBytesMax: undefined }));
  }

  // Not async: a promise of a promise would be measured as well.
  run(operation: BenchOperation): Promise<unknown> {
    switch (operation.kind) {
      case 'set':
        return this.#entries.put(this.#options.dataset.entry(operation.n), this.#writeOptions);
      case 'get':
        return this.#get(operation.n);
      case 'near':
        return this.#getNear(operation.n);
      case 'batch':
        return this.#batch(operation.ns);
      case 'list':
        return this.#list(operation.scope);
      case 'cas':
        return this.#replace(operation.n);
    }
  }

  async prepare(workload: WorkloadName): Promise<void> {
    if (workload === 'cas') {
      await inParallel(this.#refs.length, READS_IN_PARALLEL, async (n) => {
        const found = await this.#entries.get(this.#ref(n), { read: 'strong' });
        if (found !== undefined) this.#versions[n] = found.version;
      });
    }
    if (workload !== 'near') return;
    const { open, namespace, dataset } = this.#options;
    if (this.#near === undefined) {
      const nearBytesMax = dataset.count * (NEAR_BYTES_PER_ENTRY + 8 * dataset.bytesMean);
      const grid = await open({ nearBytesMax });
      this.#near = { grid, entries: grid.namespace(namespace) };
    }
    const { entries } = this.#near;
    await inParallel(this.#refs.length, READS_IN_PARALLEL, async (n) => {
      await entries.get(this.#ref(n));
    });
  }

  async watch(watcher: Watcher): Promise<OpenWatch> {
    const { open, namespace, dataset } = this.#options;
    const grid = await open({ nearBytesMax: undefined });
    const changes = grid.namespace(namespace).watch();
    let isClosing = false;
    const listen = async (): Promise<void> => {
      for await (const change of changes) {
        if (change.kind === 'gap') watcher.gap();
        else {
          const n = dataset.numberOf(change.id);
          if (n !== undefined) watcher.heard(n);
        }
      }
    };
    const listening = listen().catch(() => {
      // A watch that fails misses whatever comes.
      if (!isClosing) watcher.gap();
    });
    const close = async (): Promise<void> => {
      isClosing = true;
      changes.close();
      await grid.close();
      await listening;
    };
    try {
      await changes.ready;
    } catch (error) {
      await close();
      throw error;
    }
    return { close };
  }

  serverCpuUs(): number | undefined {
    return this.#options.serverCpuUs?.();
  }

  /**
   * Deletes every entry that this subject may have stored.
   *
   * @param progress told how many have been asked for and are gone.
   * @throws ClusterError as soon as one cannot be deleted; the signal's reason when that is aborted.
   */
  async forget(signal: AbortSignal, progress?: (deleted: number) => void): Promise<void> {
    let deleted = 0;
    const batches = Math.ceil(this.#refs.length / DELETE_BATCH);
    await inParallel(batches, DELETES_IN_PARALLEL, async (at) => {
      signal.throwIfAborted();
      const refs = this.#refs.slice(at * DELETE_BATCH, (at + 1) * DELETE_BATCH);
      const options = { sync: 'memory', signal } as const;
      const results = await this.#entries.batch(
        refs.map((ref) => ({ kind: 'delete', ref, options })),
      );
      for (const result of results) if (!result.ok) throw result.error;
      deleted += refs.length;
      progress?.(deleted);
    });
  }

  async close(): Promise<void> {
    await this.#near?.grid.close();
    await this.#grid.close();
  }

  async #get(n: number): Promise<void> {
    const found = await this.#entries.get(this.#ref(n), this.#readOptions);
    if (found === undefined) throw new Error('An entry is absent.');
  }

  async #getNear(n: number): Promise<void> {
    const found = await this.#near?.entries.get(this.#ref(n));
    if (found?.source !== 'near') throw new Error('The near cache did not have an entry.');
  }

  async #batch(ns: readonly number[]): Promise<void> {
    const { dataset } = this.#options;
    const options = this.#writeOptions;
    const results = await this.#entries.batch(
      ns.map((n) => ({ kind: 'put', entry: dataset.entry(n), options })),
    );
    for (const result of results) if (!result.ok) throw result.error;
  }

  async #list(scope: number): Promise<void> {
    const { userId } = this.#options.dataset.entry(scope * SCOPE_ENTRIES);
    const { items } = await this.#entries.list({ userId }, this.#listOptions);
    if (items.length < SCOPE_ENTRIES) throw new Error('A list is not whole.');
  }

  async #replace(n: number): Promise<void> {
    const ifVersion = this.#versions[n];
    if (ifVersion === undefined) throw new Error('The version of an entry is not known.');
    const options = { ...this.#writeOptions, ifVersion };
    const saved = await this.#entries.put(this.#options.dataset.entry(n), options);
    this.#versions[n] = saved.version;
  }

  #ref(n: number): EntryRef {
    return this.#refs[n] ?? refOf(this.#options.dataset, n);
  }
}

function refOf(dataset: Dataset, n: number): EntryRef {
  const { id, userId } = dataset.entry(n);
  return { id, userId };
}
