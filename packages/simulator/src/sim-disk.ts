import { invariant } from '@memgrid/core';
import type { Random, StoreOperation } from '@memgrid/core';

/** How a simulated disk behaves. Faults change it while the world runs. */
export interface DiskConditions {
  /** Fastest and slowest ordinary sync. A laptop's SSD takes 0.5 to 5 ms. */
  readonly syncMsMin: number;
  readonly syncMsMax: number;
  /** Share of syncs that take ten times as long: the drive is busy with itself. */
  readonly syncSlowShare: number;
  /** Added to every sync. */
  readonly extraMs: number;
  readonly bytesMax: number;
}

export const ORDINARY_DISK: DiskConditions = {
  syncMsMin: 0.5,
  syncMsMax: 5,
  syncSlowShare: 0.01,
  extraMs: 0,
  bytesMax: 1024 * 1024 * 1024,
};

/** What becomes of the last batch that a crash cut in two. */
export type TornBatches =
  /** Dropped as a whole when the database opens again, as LevelDB's log does. */
  | 'discarded'
  /** Kept as far as it got: no database we use does that. A deliberate break. */
  | 'applied';

interface Batch {
  readonly operations: readonly StoreOperation[];
  readonly settle: (problem: string | undefined) => void;
  settled: boolean;
  /** The operating system has it: a killed process cannot lose it any more, a power cut can. */
  written: boolean;
}

export interface SimDiskOptions {
  readonly random: Random;
  readonly after: (delayUs: number, run: () => void) => void;
  readonly tornBatches: TornBatches;
}

/** Why the process that used the disk ended. */
export type DiskLoss = 'killed' | 'powerOff';

/** How much a crash took: for the trace and the "sometimes" counters. */
export interface DiskLossReport {
  readonly batchesLost: number;
  readonly torn: boolean;
}

/**
 * One data directory: records that are safe, and batches on their way to being so.
 *
 * A batch is written to the operating system at once and is safe after the next sync; all batches
 * that wait when a sync begins share it (group commit). Answers come in the order of the batches.
 * A crash loses a random suffix of what was not synced, a whole batch at a time.
 */
export class SimDisk {
  readonly #random: Random;
  readonly #after: (delayUs: number, run: () => void) => void;
  readonly #tornBatches: TornBatches;
  readonly #records: Map<string, Uint8Array>;
  #conditions: DiskConditions = ORDINARY_DISK;
  #pending: Batch[] = [];
  #syncing = false;
  #onNextStore: (() => void) | undefined;
  /** The next sync reports an error, as a failing drive does once. */
  #failNext = false;
  /** A sync failed since the directory was opened: like LevelDB, nothing more is accepted. */
  #broken: string | undefined;
  /** Answers under way belong to a process; a later one must never see them. */
  #epoch = 0;
  #bytes = 0;
  #syncCount = 0;

  constructor(options: SimDiskOptions, records: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#random = options.random;
    this.#after = options.after;
    this.#tornBatches = options.tornBatches;
    this.#records = new Map(records);
    for (const [key, value] of this.#records) this.#bytes += key.length + value.length;
  }

  /** A process starts: everything that is safe now. */
  open(): Map<string, Uint8Array> {
    this.#forget();
    return this.snapshot();
  }

  /** A copy of everything that is safe now. */
  snapshot(): Map<string, Uint8Array> {
    return new Map(this.#records);
  }

  /** What a running process reads: its own writes too, whether they are safe or not. */
  read(key: string): Uint8Array | undefined {
    for (let at = this.#pending.length - 1; at >= 0; at -= 1) {
      const last = this.#pending[at]?.operations.findLast((operation) => operation.key === key);
      if (last !== undefined) return last.kind === 'put' ? last.value : undefined;
    }
    return this.#records.get(key);
  }

  /** Bytes of keys and values that are safe. */
  get bytes(): number {
    return this.#bytes;
  }

  get syncCount(): number {
    return this.#syncCount;
  }

  change(conditions: Partial<DiskConditions>): void {
    this.#conditions = { ...this.#conditions, ...conditions };
  }

  mend(): void {
    this.#conditions = ORDINARY_DISK;
    this.#failNext = false;
    this.#onNextStore = undefined;
  }

  failNextSync(): void {
    this.#failNext = true;
  }

  /** Tells once, as soon as the next batch has been taken. */
  onNextStore(run: () => void): void {
    this.#onNextStore = run;
  }

  /** Takes a batch; `settle` is told once: nothing when it is as safe as asked for, or a problem. */
  store(
    operations: readonly StoreOperation[],
    durable: boolean,
    settle: (problem: string | undefined) => void,
  ): void {
    if (this.#broken !== undefined) {
      const problem = this.#broken;
      this.#later(20, () => settle(problem));
      return;
    }
    const batch: Batch = { operations, settle, settled: false, written: false };
    this.#pending.push(batch);
    this.#onNextStore?.();
    this.#onNextStore = undefined;
    this.#later(this.#random.between(20, 200), () => {
      batch.written = true;
      if (!durable) settleOnce(batch, undefined);
    });
    this.#sync();
  }

  /** The process ended without closing the database. */
  crash(loss: DiskLoss): DiskLossReport {
    const batches = this.#pending;
    this.#forget();
    let kept = this.#random.below(batches.length + 1);
    if (loss === 'killed') while (batches[kept]?.written === true) kept += 1;
    for (const batch of batches.slice(0, kept)) this.#apply(batch.operations);
    const cut = batches[kept];
    const torn = cut !== undefined && cut.operations.length > 1 && this.#random.chance(0.5);
    if (torn && this.#tornBatches === 'applied') {
      this.#apply(cut.operations.slice(0, 1 + this.#random.below(cut.operations.length - 1)));
    }
    return { batchesLost: batches.length - kept, torn };
  }

  /** The process ended in good order: everything it wrote is there. */
  close(): void {
    const batches = this.#pending;
    this.#forget();
    for (const batch of batches) this.#apply(batch.operations);
  }

  wipe(): void {
    this.#forget();
    this.#records.clear();
    this.#bytes = 0;
  }

  #forget(): void {
    this.#epoch += 1;
    this.#pending = [];
    this.#syncing = false;
    this.#broken = undefined;
  }

  /** Runs `run` unless the process that waits for it is gone by then. */
  #later(delayUs: number, run: () => void): void {
    const epoch = this.#epoch;
    this.#after(delayUs, () => {
      if (epoch === this.#epoch) run();
    });
  }

  #sync(): void {
    if (this.#syncing || this.#pending.length === 0) return;
    this.#syncing = true;
    const count = this.#pending.length;
    this.#later(this.#syncUs(), () => {
      this.#syncing = false;
      this.#finishSync(count);
      this.#sync();
    });
  }

  #syncUs(): number {
    const { syncMsMin, syncMsMax, syncSlowShare, extraMs } = this.#conditions;
    const usual = this.#random.between(syncMsMin, syncMsMax);
    const slow = this.#random.chance(syncSlowShare) ? 10 : 1;
    return (usual * slow + extraMs) * 1000;
  }

  #finishSync(count: number): void {
    const problem = this.#problem(count);
    if (problem !== undefined) {
      this.#failAll(problem);
      return;
    }
    this.#syncCount += 1;
    const batches = this.#pending.splice(0, count);
    for (const batch of batches) this.#apply(batch.operations);
    for (const batch of batches) settleOnce(batch, undefined);
  }

  #problem(count: number): string | undefined {
    if (this.#failNext) {
      this.#failNext = false;
      return 'EIO: sync failed.';
    }
    let growth = 0;
    for (const batch of this.#pending.slice(0, count)) growth += bytesOf(batch.operations);
    const { bytesMax } = this.#conditions;
    if (this.#bytes + growth <= bytesMax) return undefined;
    return `ENOSPC: ${this.#bytes} of ${bytesMax} bytes are used and ${growth} more are needed.`;
  }

  /** After a failed sync nothing is known: some batches made it, and no later one is accepted. */
  #failAll(problem: string): void {
    const batches = this.#pending;
    this.#pending = [];
    this.#broken = problem;
    const kept = this.#random.below(batches.length + 1);
    for (const batch of batches.slice(0, kept)) this.#apply(batch.operations);
    for (const batch of batches) settleOnce(batch, problem);
  }

  #apply(operations: readonly StoreOperation[]): void {
    for (const operation of operations) {
      const before = this.#records.get(operation.key);
      if (before !== undefined) this.#bytes -= operation.key.length + before.length;
      if (operation.kind === 'delete') {
        this.#records.delete(operation.key);
      } else {
        this.#records.set(operation.key, operation.value);
        this.#bytes += operation.key.length + operation.value.length;
      }
      invariant(this.#bytes >= 0, 'A disk cannot hold fewer than 0 bytes.');
    }
  }
}

function settleOnce(batch: Batch, problem: string | undefined): void {
  if (batch.settled) return;
  batch.settled = true;
  batch.settle(problem);
}

function bytesOf(operations: readonly StoreOperation[]): number {
  let bytes = 0;
  for (const operation of operations) {
    if (operation.kind === 'put') bytes += operation.key.length + operation.value.length;
  }
  return bytes;
}
