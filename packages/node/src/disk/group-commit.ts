import { performance } from 'node:perf_hooks';

/** One key-value operation. */
export type RecordOperation =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: string };

export interface GroupCommitOptions {
  /** Writes all operations or none. With `sync` it resolves only after they survive a power cut. */
  readonly write: (operations: readonly RecordOperation[], sync: boolean) => Promise<void>;
  readonly onStored: (ticket: number) => void;
  readonly onFailed: (ticket: number, problem: string) => void;
  /** Told after each write, for metrics. */
  readonly onWritten?: (written: WrittenBatch) => void;
  /** Bytes that may wait for a write. More means that the disk is as good as broken. */
  readonly waitingBytesMax?: number;
}

export interface WrittenBatch {
  readonly durationMs: number;
  readonly ticketCount: number;
  readonly bytes: number;
  readonly synced: boolean;
}

interface Waiting {
  readonly ticket: number;
  readonly operations: readonly RecordOperation[];
  readonly durable: boolean;
  readonly bytes: number;
}

/** One write holds at most this much, so that a snapshot does not make every vote wait for it. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;

/** The control group limits its own uncommitted log to 8 MiB and a snapshot to 64 MiB. */
const WAITING_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Writes batches in the order in which they were handed in, many with one sync.
 *
 * A sync takes a millisecond or many; what is handed in meanwhile waits and becomes one batch with
 * one sync. Under load the disk therefore sees fewer, larger writes, and no timer is needed.
 *
 * After the first error nothing is written any more, and every ticket fails: the operating system
 * may have dropped the pages of a failed sync, so a retry could report success for data that is
 * gone ("fsyncgate", PostgreSQL 2018). Only a restart, which reads the disk back, knows what is
 * there.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #waitingBytesMax: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #problem: string | undefined;
  #closed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#waitingBytesMax = options.waitingBytesMax ?? WAITING_BYTES_MAX;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Takes a batch; answered with `onStored` or `onFailed`, never within this call. */
  append(ticket: number, operations: readonly RecordOperation[], durable: boolean): void {
    const bytes = bytesOf(operations);
    this.#waiting.push({ ticket, operations, durable, bytes });
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > this.#waitingBytesMax) {
      this.#problem ??=
        `${this.#waitingBytes} bytes wait for the disk, which takes none of them; at most ` +
        `${this.#waitingBytesMax} may.`;
    }
  }

  /** Begins to write what waits. Called once per turn, so that one turn is at most one sync. */
  flush(): void {
    if (this.#writing !== undefined || this.#closed || this.#waiting.length === 0) return;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Writes what waits, then refuses everything. Resolves when the disk is quiet. */
  async close(): Promise<void> {
    this.flush();
    this.#closed = true;
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // Leaves the caller's turn first: no ticket may be answered within `append` or `flush`.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#writeSome(this.#takeBatch());
  }

  async #writeSome(batch: readonly Waiting[]): Promise<void> {
    const synced = batch.some((one) => one.durable);
    const [only] = batch;
    const operations =
      batch.length === 1 && only !== undefined
        ? only.operations
        : batch.flatMap((one) => one.operations);
    const startedAt = performance.now();
    const problem = this.#problem ?? (await this.#problemOfWriting(operations, synced));
    if (problem !== undefined) {
      this.#problem = problem;
      for (const { ticket } of batch) this.#options.onFailed(ticket, problem);
      return;
    }
    this.#options.onWritten?.({
      durationMs: performance.now() - startedAt,
      ticketCount: batch.length,
      bytes: batch.reduce((sum, one) => sum + one.bytes, 0),
      synced,
    });
    for (const { ticket } of batch) this.#options.onStored(ticket);
  }

  async #problemOfWriting(
    operations: readonly RecordOperation[],
    sync: boolean,
  ): Promise<string | undefined> {
    try {
      await this.#options.write(operations, sync);
      return undefined;
    } catch (error) {
      return describe(error);
    }
  }

  /** As much as one write may hold, and at least one ticket: a ticket is never split. */
  #takeBatch(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const one of this.#waiting) {
      if (count > 0 && bytes + one.bytes > BATCH_BYTES_MAX) break;
      bytes += one.bytes;
      count += 1;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }
}

function bytesOf(operations: readonly RecordOperation[]): number {
  let bytes = 0;
  for (const operation of operations) {
    bytes += operation.key.length + (operation.kind === 'put' ? operation.value.byteLength : 0);
  }
  return bytes;
}

function describe(error: unknown): string {
  const cause = (error as Error).cause;
  const detail = cause instanceof Error ? ` (${cause.message})` : '';
  return `${error instanceof Error ? error.message : String(error)}${detail}`;
}
