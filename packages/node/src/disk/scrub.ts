import { performance } from 'node:perf_hooks';
import { shardKeyPrefix, shardOfKey } from '@memgrid/core';
import type { ShardId } from '@memgrid/protocol';
import type { Inspection } from './node-store.ts';

export interface ScrubOptions {
  readonly inspect: (after: string, bytes: number) => Promise<Inspection>;
  /** Bytes of all there is to look at, about. */
  readonly bytesUsed: () => number;
  /** Whether this process has better things to do just now. */
  readonly isBusy: () => boolean;
  /** Told for each record that fails its checksum, with its disk key. */
  readonly onDamaged: (diskKey: string) => void;
  /** A stretch that can not be read at all. */
  readonly onUnreadable: (problem: string) => void;
}

/** Everything is looked at once in this time: a flipped bit should not wait for its twin. */
const ROUND_MS = 24 * 60 * 60 * 1000;
const STEP_MS = 1_000;
/** Per step, so per second: a tenth of what the slowest disks of today read. */
const STEP_BYTES_MAX = 1024 * 1024;
/** Less is not worth a visit to the disk. */
const STEP_BYTES_MIN = 64 * 1024;
const LAST_SHARD = 0xffff;

/**
 * Reads everything that lies at rest, slowly and for ever, and tells what fails its checksum.
 *
 * A damaged copy that nobody reads is found by nobody, until the good one is lost too.
 */
export class Scrub {
  readonly #options: ScrubOptions;
  #timer: NodeJS.Timeout | undefined;
  #step: Promise<void> | undefined;
  #closed = false;
  #after = '';
  #roundStartedAt: number | undefined;
  #roundBytes = 0;
  #roundDone = false;

  constructor(options: ScrubOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#step ??= this.step(performance.now()).finally(() => {
        this.#step = undefined;
      });
    }, STEP_MS);
    this.#timer.unref();
  }

  /** Resolves when no read is under way; nothing is told afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#step;
  }

  /**
   * Reads as much as is due by now, at most 1 MiB. Called once a second by `start`.
   *
   * @param nowMs of a monotonic clock.
   */
  async step(nowMs: number): Promise<void> {
    if (this.#options.isBusy()) return;
    const bytes = this.#dueBytes(nowMs);
    if (bytes < STEP_BYTES_MIN) return;
    const { damaged, last, readBytes, problem } = await this.#options.inspect(this.#after, bytes);
    if (this.#closed) return;
    for (const key of damaged) this.#options.onDamaged(key);
    if (problem !== undefined) this.#options.onUnreadable(problem);
    this.#roundBytes += readBytes;
    const next = problem === undefined ? last : behindShardOf(last);
    this.#after = next ?? '';
    this.#roundDone = next === undefined;
  }

  #dueBytes(nowMs: number): number {
    this.#roundStartedAt ??= nowMs;
    const elapsedMs = nowMs - this.#roundStartedAt;
    if (this.#roundDone && elapsedMs >= ROUND_MS) {
      this.#roundStartedAt = nowMs;
      this.#roundBytes = 0;
      this.#roundDone = false;
    }
    if (this.#roundDone) return 0;
    // The first bytes are due at once, or a small database would wait for hours.
    const share = STEP_BYTES_MIN + (this.#options.bytesUsed() * elapsedMs) / ROUND_MS;
    return Math.min(STEP_BYTES_MAX, share - this.#roundBytes);
  }
}

/** Where to go on when what follows can not be read: the next shard, whatever is there. */
function behindShardOf(key: string | undefined): string | undefined {
  const shard = key === undefined ? undefined : shardOfKey(key);
  if (shard === undefined || shard === LAST_SHARD) return undefined;
  return shardKeyPrefix((shard + 1) as ShardId);
}
