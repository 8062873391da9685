import type { GridStatus } from './grid-status.ts';

/** The newest status for each reader; one that is slow misses what is no longer so. */
export class StatusStream {
  readonly #readers = new Set<StatusReader>();
  #latest: GridStatus | undefined;
  #isOver = false;

  get latest(): GridStatus | undefined {
    return this.#latest;
  }

  publish(status: GridStatus): void {
    this.#latest = status;
    for (const reader of this.#readers) reader.offer(status);
    if (status.phase === 'closed') this.end();
  }

  end(): void {
    this.#isOver = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  /** The present state first, then changes. */
  read(): AsyncIterable<GridStatus> {
    return {
      [Symbol.asyncIterator]: () => {
        const reader = new StatusReader(() => this.#readers.delete(reader));
        if (this.#latest !== undefined) reader.offer(this.#latest);
        if (this.#isOver) reader.end();
        else this.#readers.add(reader);
        return reader;
      },
    };
  }
}

const DONE = { done: true, value: undefined } as const;

class StatusReader implements AsyncIterator<GridStatus, undefined> {
  readonly #onLeft: () => void;
  #waiting: ((result: IteratorResult<GridStatus, undefined>) => void)[] = [];
  #next: GridStatus | undefined;
  #isOver = false;

  constructor(onLeft: () => void) {
    this.#onLeft = onLeft;
  }

  offer(status: GridStatus): void {
    const resolve = this.#waiting.shift();
    if (resolve === undefined) this.#next = status;
    else resolve({ done: false, value: status });
  }

  end(): void {
    this.#isOver = true;
    for (const resolve of this.#waiting) resolve(DONE);
    this.#waiting = [];
  }

  next(): Promise<IteratorResult<GridStatus, undefined>> {
    const status = this.#next;
    if (status !== undefined) {
      this.#next = undefined;
      return Promise.resolve({ done: false, value: status });
    }
    if (this.#isOver) return Promise.resolve(DONE);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<GridStatus, undefined>> {
    this.end();
    this.#onLeft();
    return Promise.resolve(DONE);
  }
}
