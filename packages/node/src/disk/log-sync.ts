import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { logFiles } from './write-ahead-logs.ts';
import { WRITE_BUFFER_BYTES } from './write-buffer.ts';

/**
 * LevelDB begins a new log when its buffer is full. Small operations take up to two and a half times
 * as much there as in the log, so below this size the next write goes to the same log.
 */
const SAME_LOG_BYTES = 0.375 * WRITE_BUFFER_BYTES;

/**
 * Keeps the promise that everything written before a synced write survives a power cut with it.
 *
 * LevelDB syncs the log that it writes to. When it has just begun a new one, what was written to
 * the old one without a sync is in a file that nobody syncs until it has become a table: a power
 * cut in between would keep the later write and lose the earlier ones. So the logs are synced
 * first, when there is more than one or one that is about to end.
 */
export class LogSync {
  readonly #databaseDirectory: string;
  #unsynced = false;

  constructor(databaseDirectory: string) {
    this.#databaseDirectory = databaseDirectory;
  }

  /** A write that was not synced is in a log. */
  wroteUnsynced(): void {
    this.#unsynced = true;
  }

  /**
   * Right before a synced write. What it syncs may be lost again only together with that write.
   *
   * @returns the logs that had to be synced.
   */
  async beforeSynced(): Promise<readonly string[]> {
    if (!this.#unsynced) return [];
    const logs = await logFiles(this.#databaseDirectory);
    const [only] = logs;
    const isEnough = only === undefined || (logs.length === 1 && (await this.#isYoung(only)));
    if (!isEnough) for (const log of logs) await this.#sync(log);
    this.#unsynced = false;
    return isEnough ? [] : logs;
  }

  async #isYoung(log: string): Promise<boolean> {
    const { size } = await stat(path.join(this.#databaseDirectory, log));
    return size < SAME_LOG_BYTES;
  }

  async #sync(log: string): Promise<void> {
    try {
      await using file = await open(path.join(this.#databaseDirectory, log), 'r');
      await file.sync();
    } catch (error) {
      // It has become a table meanwhile, which LevelDB syncs before it removes the log.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
