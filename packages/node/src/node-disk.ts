import type { LoadResult, NodeInput } from '@memgrid/core';
import { parseEntryKey } from '@memgrid/core';
import { diskRoom } from './disk/disk-room.ts';
import { findingSentence } from './disk/disk-finding.ts';
import { EntryReader } from './disk/entry-reader.ts';
import type { EntryPlace } from './disk/entry-reader.ts';
import { GroupCommit } from './disk/group-commit.ts';
import type { NodeStore } from './disk/node-store.ts';
import { Scrub } from './disk/scrub.ts';
import type { Observer } from './observe/observer.ts';

/** How often the room on the disk is measured. A disk that fills faster fills up. */
const ROOM_INTERVAL_MS = 2_000;

/** Event-loop lag above which the scrub waits: somebody else needs this process more. */
const SCRUB_LAG_MS_MAX = 50;

export interface NodeDiskOptions {
  readonly store: NodeStore;
  readonly observer: Observer;
  readonly push: (input: NodeInput) => boolean;
  /** Nobody is left who could hear an answer. */
  readonly isStopping: () => boolean;
  /** A machine that never hears about its write waits for ever: better to stop. */
  readonly onFault: (error: unknown) => void;
  /** How late the event loop is, in milliseconds. */
  readonly loopLagMs: () => number;
  /** What the store may take; 0 leaves it to the disk. */
  readonly storageBytesMax: number;
}

/** What a node machine and its store have to say to each other. */
export class NodeDisk {
  readonly commit: GroupCommit;
  readonly #options: NodeDiskOptions;
  readonly #reader: EntryReader;
  readonly #scrub: Scrub;
  #failed = false;
  #roomTimer: NodeJS.Timeout | undefined;

  constructor(options: NodeDiskOptions) {
    const { store, observer, loopLagMs } = options;
    this.#options = options;
    this.commit = new GroupCommit({
      write: (operations, sync) => store.write(operations, sync),
      onStored: (ticket) => this.#tell({ kind: 'stored', ticket }),
      onFailed: (ticket, problem) => this.#tellFailure(ticket, problem),
      onWritten: (written) => observer.metrics.written(written),
    });
    this.#reader = new EntryReader({
      load: (places) => store.load(places),
      onLoaded: (ticket, result) => this.#tellLoaded(ticket, result),
    });
    this.#scrub = new Scrub({
      inspect: (after, bytes) => store.inspect(after, bytes),
      bytesUsed: () => store.bytesUsed,
      isBusy: () => loopLagMs() > SCRUB_LAG_MS_MAX,
      onDamaged: (key) => this.#tellDamaged(key),
      onUnreadable: (problem) => observer.show({ name: 'disk.damaged', problem }),
    });
  }

  /** Tells what was found at start, before anybody can ask for it, and begins the scrub. */
  start(): void {
    const { store, observer } = this.#options;
    for (const finding of store.findings) {
      observer.show({ name: 'disk.damaged', problem: findingSentence(finding) });
      if (finding.kind === 'damagedEntry') {
        const { shard, slot, key, problem } = finding;
        this.#tell({ kind: 'damaged', shard, slot, key, problem });
      }
    }
    this.#scrub.start();
    this.#roomTimer = setInterval(() => void this.#measureRoom(), ROOM_INTERVAL_MS);
    this.#roomTimer.unref();
  }

  load(ticket: number, place: EntryPlace): void {
    this.#reader.load(ticket, place);
  }

  /** Begins to carry out what this turn asked for. */
  flush(): void {
    this.commit.flush();
    this.#reader.flush();
  }

  /** Writes what waits. Resolves when the disk is quiet; the store may be closed then. */
  async close(): Promise<void> {
    clearInterval(this.#roomTimer);
    await Promise.all([this.commit.close(), this.#reader.close(), this.#scrub.close()]);
  }

  async #measureRoom(): Promise<void> {
    const { store, storageBytesMax: bytesMax, observer } = this.#options;
    try {
      const freeBytes = await store.bytesFree();
      const room = diskRoom({ usedBytes: store.bytesUsed, bytesMax, freeBytes });
      this.#tell({ kind: 'storage', ...room });
    } catch (error) {
      const problem = `The room on the disk can not be measured: ${(error as Error).message}`;
      observer.show({ name: 'disk.failed', problem });
    }
  }

  #tell(input: NodeInput): void {
    const { push, isStopping, onFault } = this.#options;
    if (isStopping() || push(input)) return;
    onFault(new Error('The inbox is full: an answer of the disk was lost.'));
  }

  #tellFailure(ticket: number, problem: string): void {
    if (!this.#failed) this.#options.observer.show({ name: 'disk.failed', problem });
    this.#failed = true;
    this.#tell({ kind: 'storeFailed', ticket, problem });
  }

  #tellLoaded(ticket: number, result: LoadResult): void {
    this.#tell({ kind: 'loaded', ticket, result });
  }

  #tellDamaged(diskKey: string): void {
    const problem = `The record "${diskKey}" fails its checksum.`;
    this.#options.observer.show({ name: 'disk.damaged', problem });
    const entry = parseEntryKey(diskKey);
    if (entry !== undefined) this.#tell({ kind: 'damaged', ...entry, problem });
  }
}
