import { WRITE_BUFFER_BYTES } from './write-buffer.ts';

/** Written bytes after which the database is asked again. */
const SAMPLE_BYTES = 8 * 1024 * 1024;

/** What may be in LevelDB's logs unseen: it keeps up to two that are not tables yet. */
const LOGGED_BYTES = 2 * WRITE_BUFFER_BYTES;

/**
 * How much a database takes on disk, about: what its tables took when it was asked last, and what
 * was written since. Asking costs microseconds, but only tells about tables, not about the log.
 */
export class StoredBytes {
  readonly #measure: () => Promise<number>;
  #tableBytes: number;
  /** Written since, or not long enough before it to be in a table for sure. */
  #recentBytes = 0;
  #measuring = false;

  private constructor(measure: () => Promise<number>, tableBytes: number) {
    this.#measure = measure;
    this.#tableBytes = tableBytes;
  }

  /** @param measure asks the database for the size of its tables. */
  static async of(measure: () => Promise<number>): Promise<StoredBytes> {
    return new StoredBytes(measure, await measure());
  }

  get used(): number {
    return this.#tableBytes + this.#recentBytes;
  }

  written(bytes: number): void {
    this.#recentBytes += bytes;
    if (this.#recentBytes >= LOGGED_BYTES + SAMPLE_BYTES) void this.#sample();
  }

  async #sample(): Promise<void> {
    if (this.#measuring) return;
    this.#measuring = true;
    try {
      const writtenBefore = this.#recentBytes;
      this.#tableBytes = await this.#measure();
      this.#recentBytes -= Math.max(0, writtenBefore - LOGGED_BYTES);
    } catch {
      // The database is being closed: nobody will ask any more.
    } finally {
      this.#measuring = false;
    }
  }
}
