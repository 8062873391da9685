import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { WriteStream } from 'node:fs';
import { formatHistoryEvent, type HistoryEvent } from '@memgrid/simulator';

/** How an operation began: everything but its place in the history. */
export type Begun = Omit<HistoryEvent, 'index' | 'type' | 'time'>;

/** What an end adds to the beginning. */
export type Ended = Partial<Pick<HistoryEvent, 'value' | 'node' | 'token' | 'version'>>;

/**
 * Writes a history while it happens, and keeps it for the checker. What was written stays readable
 * when this process is killed; an operation without an end has an unknown outcome.
 */
export class HistoryLog {
  readonly #events: HistoryEvent[] = [];
  readonly #stream: WriteStream | undefined;
  readonly #nowMs: () => number;
  readonly #startedAt: number;

  private constructor(stream: WriteStream | undefined, nowMs: () => number) {
    this.#stream = stream;
    this.#nowMs = nowMs;
    this.#startedAt = nowMs();
  }

  /** @param path undefined keeps the history in memory only. */
  static async open(path: string | undefined, nowMs: () => number): Promise<HistoryLog> {
    if (path === undefined) return new HistoryLog(undefined, nowMs);
    const stream = createWriteStream(path);
    await once(stream, 'open');
    return new HistoryLog(stream, nowMs);
  }

  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  begin(begun: Begun): HistoryEvent {
    return this.#add({ ...begun, type: 'invoke' });
  }

  end(begun: HistoryEvent, type: 'ok' | 'fail' | 'info', ended: Ended = {}): void {
    const { f, process, key, level } = begun;
    this.#add({
      f,
      process,
      type,
      ...(key === undefined ? {} : { key }),
      ...(level === undefined ? {} : { level }),
      ...ended,
    });
  }

  async close(): Promise<void> {
    if (this.#stream === undefined) return;
    this.#stream.end();
    await once(this.#stream, 'close');
  }

  #add(event: Omit<HistoryEvent, 'index' | 'time'>): HistoryEvent {
    const time = Math.round((this.#nowMs() - this.#startedAt) * 1_000_000);
    const added: HistoryEvent = { ...event, index: this.#events.length, time };
    this.#events.push(added);
    this.#stream?.write(formatHistoryEvent(added));
    return added;
  }
}
