import { isClusterError, type Namespace, type NewEntry, type PutOptions } from '@memgrid/client';
import { sliceOfEntry } from '@memgrid/protocol';
import { concurrently } from './concurrently.ts';
import type { LineEntries } from './line-entries.ts';
import type { Line } from './read-lines.ts';

/** What became of one line. */
export type LineOutcome =
  | {
      readonly kind: 'stored';
      readonly line: number;
      readonly id: string;
      /** Where the entry lives, whatever its id. */
      readonly slice: number;
      readonly version: string;
    }
  /** It was there already: an earlier import, or an earlier attempt of this one. */
  | {
      readonly kind: 'present';
      readonly line: number;
      readonly id: string;
      readonly slice: number;
    }
  | {
      readonly kind: 'failed';
      readonly line: number;
      readonly id: string | undefined;
      readonly code: string;
      readonly message: string;
      /** `unknown`: it may be stored. Importing the file again settles it. */
      readonly applied: 'no' | 'unknown';
    }
  | { readonly kind: 'blank'; readonly line: number }
  /** Stored by an earlier run, as its report says. */
  | { readonly kind: 'skipped'; readonly line: number; readonly id: string };

export interface ImporterOptions {
  readonly namespace: Namespace;
  readonly entries: LineEntries;
  /** Lines that wait for an answer at the same time. */
  readonly concurrency: number;
  /** How long one line is tried again, and how long the cluster may take none at all. */
  readonly patienceMs: number;
  /** Writes over what is there; otherwise an entry with the same id is left as it is. */
  readonly replace: boolean;
  readonly write: Pick<PutOptions, 'durability' | 'sync'>;
  /** Ids that an earlier run has stored. */
  readonly done: ReadonlySet<string>;
  /** Takes no new lines; those under way are finished. */
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 2_000;

/**
 * Stores the lines of a file, each under an id that follows from the line, and only where there is
 * no such entry yet. So a line can be tried any number of times, in this run or in another: it is
 * stored once.
 */
export class Importer {
  readonly #options: ImporterOptions;
  /** When the cluster last took a line, or said that it has it. */
  #progressAt: number;
  #gaveUp = false;

  constructor(options: ImporterOptions) {
    this.#options = options;
    this.#progressAt = options.nowMs();
  }

  /** The cluster took nothing for too long: lines that had not begun by then were left alone. */
  get gaveUp(): boolean {
    return this.#gaveUp;
  }

  /** The outcome of every line, in the order in which they are known. */
  run(lines: AsyncIterable<Line>): AsyncGenerator<LineOutcome> {
    const { concurrency } = this.#options;
    return concurrently(this.#untilAborted(lines), concurrency, (line) => this.#import(line));
  }

  async *#untilAborted(lines: AsyncIterable<Line>): AsyncGenerator<Line> {
    for await (const line of lines) {
      if (this.#options.signal.aborted || this.#gaveUp) return;
      yield line;
    }
  }

  async #import(line: Line): Promise<LineOutcome> {
    const { number } = line;
    const made = this.#options.entries.of(line);
    if (made.kind === 'blank') return { kind: 'blank', line: number };
    if (made.kind === 'problem') {
      const code = 'BAD_LINE';
      const { problem: message } = made;
      return { kind: 'failed', line: number, id: undefined, code, message, applied: 'no' };
    }
    const { id } = made.entry;
    if (this.#options.done.has(id)) return { kind: 'skipped', line: number, id };
    return await this.#put(number, made.entry);
  }

  async #put(line: number, entry: NewEntry & { id: string }): Promise<LineOutcome> {
    const { namespace, replace, write, nowMs } = this.#options;
    const { id } = entry;
    const startedAt = nowMs();
    for (let attempt = 0; ; attempt++) {
      try {
        const { version } = await namespace.put(entry, { ...write, ifAbsent: !replace });
        this.#progressAt = nowMs();
        return { kind: 'stored', line, id, slice: sliceOf(namespace.name, entry), version };
      } catch (error) {
        // Anything else is a bug of ours and must not pass for a bad line.
        if (!isClusterError(error)) throw error;
        const { code, message } = error;
        if (code === 'VERSION_CONFLICT' && !replace) {
          this.#progressAt = nowMs();
          return { kind: 'present', line, id, slice: sliceOf(namespace.name, entry) };
        }
        const applied = error.applied === 'no' && attempt === 0 ? 'no' : 'unknown';
        // Trying an entry of a fixed id again stores nothing twice, so time is the only limit.
        const hopeless = error.retry === 'never' && code !== 'OPERATION_EXPIRED';
        if (hopeless || this.#isOver(startedAt)) {
          return { kind: 'failed', line, id, code, message, applied };
        }
        await this.#pause(attempt);
      }
    }
  }

  /**
   * One shard may be without a primary while the others go on, so a line has its own patience. When
   * nothing has succeeded for as long, the cluster is gone, and the rest of the file would only wait.
   */
  #isOver(startedAt: number): boolean {
    const { patienceMs, nowMs, signal } = this.#options;
    if (nowMs() - this.#progressAt >= patienceMs) this.#gaveUp = true;
    return this.#gaveUp || signal.aborted || nowMs() - startedAt >= patienceMs;
  }

  /** Full jitter: lines that failed together are not tried again together. */
  async #pause(attempt: number): Promise<void> {
    const max = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(attempt, 10));
    await this.#options.pause(PAUSE_MS_MIN + Math.random() * max);
  }
}

function sliceOf(namespace: string, entry: NewEntry & { id: string }): number {
  const { userId = '', agentId = '', appId = '', runId = '', id: key } = entry;
  return sliceOfEntry({ namespace, userId, agentId, appId, runId, key });
}
