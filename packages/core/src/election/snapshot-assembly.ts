import { LIMITS, type NodeId, type SnapshotChunk, type Term } from '@memgrid/protocol';
import type { Snapshot } from './election-io.ts';

/**
 * A snapshot on its way in, chunk by chunk and in order.
 *
 * Chunks of different leaders are never mixed: two nodes may encode the same state differently.
 */
export class SnapshotAssembly {
  readonly #from: NodeId;
  readonly #leaderTerm: Term;
  readonly #first: SnapshotChunk;
  readonly #chunks: Uint8Array[] = [];
  #receivedBytes = 0;

  private constructor(from: NodeId, first: SnapshotChunk) {
    this.#from = from;
    this.#leaderTerm = first.term;
    this.#first = first;
  }

  /** Undefined when the chunk cannot be part of any snapshot. */
  static begin(from: NodeId, chunk: SnapshotChunk): SnapshotAssembly | undefined {
    if (chunk.totalBytes > LIMITS.snapshotBytesMax) return undefined;
    return new SnapshotAssembly(from, chunk);
  }

  /** Whether `chunk` is of this snapshot. */
  expects(from: NodeId, chunk: SnapshotChunk): boolean {
    return (
      from === this.#from &&
      chunk.term === this.#leaderTerm &&
      chunk.lastIndex === this.#first.lastIndex &&
      chunk.lastTerm === this.#first.lastTerm &&
      chunk.totalBytes === this.#first.totalBytes
    );
  }

  /** Takes the chunk if it is the next one. A repeated or early one changes nothing. */
  add(chunk: SnapshotChunk): void {
    if (chunk.offset !== this.#receivedBytes) return;
    if (chunk.offset + chunk.bytes.length > chunk.totalBytes) return;
    if (chunk.bytes.length === 0) return;
    this.#chunks.push(chunk.bytes);
    this.#receivedBytes += chunk.bytes.length;
  }

  /** Where to go on. */
  get nextOffset(): number {
    return this.#receivedBytes;
  }

  /** The whole snapshot once every byte is here. */
  get complete(): Snapshot | undefined {
    const { lastIndex, lastTerm, config, totalBytes } = this.#first;
    if (this.#receivedBytes < totalBytes) return undefined;
    const state = new Uint8Array(totalBytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      state.set(chunk, at);
      at += chunk.length;
    }
    return { index: lastIndex, term: lastTerm, config, state };
  }
}
