import type { Instant } from '../machine.ts';
import type { Snapshot } from './election-io.ts';

/** What of a snapshot to send next. */
export interface Chunk {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * A snapshot on its way out to one peer, one chunk at a time.
 *
 * Keeps the snapshot that it began with: a later one would start the transfer all over, and a
 * busy leader would never finish any.
 */
export class SnapshotTransfer {
  readonly snapshot: Snapshot;
  readonly #chunkBytes: number;
  #offset = 0;
  #sentAt: Instant | undefined;

  constructor(snapshot: Snapshot, chunkBytes: number) {
    this.snapshot = snapshot;
    this.#chunkBytes = chunkBytes;
  }

  /** The chunk to send now; undefined while one is under way. */
  next(now: Instant): Chunk | undefined {
    if (this.#sentAt !== undefined) return undefined;
    this.#sentAt = now;
    const end = this.#offset + this.#chunkBytes;
    return { offset: this.#offset, bytes: this.snapshot.state.subarray(this.#offset, end) };
  }

  /** The peer has everything before `nextOffset`. */
  acknowledge(nextOffset: number): void {
    if (nextOffset > this.snapshot.state.length) return;
    this.#offset = nextOffset;
    this.#sentAt = undefined;
  }

  /** The chunk under way is taken for lost when it was sent at or before `moment`. */
  giveUpOn(moment: Instant): void {
    if (this.#sentAt !== undefined && this.#sentAt <= moment) this.#sentAt = undefined;
  }
}
