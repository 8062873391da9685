import { failedResult, type Operation } from '@memgrid/protocol';
import { failedAnswer } from '../gateway/failed-answer.ts';
import type { LocalAnswer } from '../gateway/gateway-io.ts';
import type { LocalOperation } from '../shards/shards-io.ts';

/** Writes are taken again below this share of the limit, so that not every second one is refused. */
const RESUME_SHARE = 0.95;

/**
 * Refuses writes that would fill the disk, before they are in any log: a write that fails later
 * stops the node. Deletes go on, or there would be no way back; reads need no room.
 */
export class StorageRoom {
  #usedBytes = 0;
  #maxBytes = Number.MAX_SAFE_INTEGER;
  #isFull = false;

  /** What was measured last: the bytes on disk, and those at which entries are refused. */
  tell(usedBytes: number, maxBytes: number): void {
    this.#usedBytes = usedBytes;
    this.#maxBytes = maxBytes;
    this.#isFull = usedBytes >= (this.#isFull ? RESUME_SHARE : 1) * maxBytes;
  }

  /** Splits operations into those that may go on and the answers to the others. */
  admit(operations: readonly LocalOperation[]): {
    readonly admitted: readonly LocalOperation[];
    readonly refused: readonly LocalAnswer[];
  } {
    if (!this.#isFull) return { admitted: operations, refused: [] };
    const refused = operations
      .filter(({ operation }) => takesRoom(operation))
      .map(({ token, operation }) => ({ token, answer: this.#refusal(operation) }));
    return { admitted: operations.filter(({ operation }) => !takesRoom(operation)), refused };
  }

  #refusal(operation: Operation): LocalAnswer['answer'] {
    const details = { usedBytes: this.#usedBytes, maxBytes: this.#maxBytes };
    return failedAnswer(operation, failedResult('STORAGE_FULL', details));
  }
}

function takesRoom({ body }: Operation): boolean {
  return body.kind === 'put' || body.kind === 'update';
}
