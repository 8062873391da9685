import type { LoadResult } from '@memgrid/core';
import type { ShardId } from '@memgrid/protocol';

/** Where an entry lies. */
export interface EntryPlace {
  readonly shard: ShardId;
  readonly slot: number;
  /** `storedKey(namespace, id)`. */
  readonly key: string;
}

export interface EntryReaderOptions {
  /** As many results as places, in the same order. */
  readonly load: (places: readonly EntryPlace[]) => Promise<readonly LoadResult[]>;
  readonly onLoaded: (ticket: number, result: LoadResult) => void;
}

/** One read asks for at most so many entries, so that none waits for a thousand others. */
const LOADED_AT_ONCE = 256;

/**
 * Reads entries back that are only on disk, many with one read, and answers in the order in which
 * they were asked for.
 */
export class EntryReader {
  readonly #options: EntryReaderOptions;
  #waiting: { readonly ticket: number; readonly place: EntryPlace }[] = [];
  #reading: Promise<void> | undefined;
  #closed = false;

  constructor(options: EntryReaderOptions) {
    this.#options = options;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Asks for an entry; answered once with `onLoaded`, never within this call. */
  load(ticket: number, place: EntryPlace): void {
    this.#waiting.push({ ticket, place });
  }

  /** Begins to read what was asked for. Called once per turn, so that one turn is one read. */
  flush(): void {
    if (this.#reading !== undefined || this.#closed || this.#waiting.length === 0) return;
    this.#reading = this.#readAll().finally(() => {
      this.#reading = undefined;
    });
  }

  /** Answers nothing any more. Resolves when no read is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting = [];
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, LOADED_AT_ONCE);
      const results = await this.#results(some.map((one) => one.place));
      if (this.#closed) return;
      for (const [at, { ticket }] of some.entries()) {
        this.#options.onLoaded(ticket, results[at] ?? NO_ANSWER);
      }
    }
  }

  async #results(places: readonly EntryPlace[]): Promise<readonly LoadResult[]> {
    try {
      return await this.#options.load(places);
    } catch (error) {
      const problem = `The disk can not be read: ${(error as Error).message}`;
      return places.map(() => ({ kind: 'damaged', problem }));
    }
  }
}

const NO_ANSWER: LoadResult = { kind: 'damaged', problem: 'The disk gave no answer.' };
