import { formatHistoryEvent, type HistoryEvent } from '@memgrid/simulator';
import { FileSink } from '../output/file-sink.ts';

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
  readonly #sink: FileSink | undefined;
  readonly #nowMs: () => number;
  readonly #startedAt: number;
  #missed = 0;

  private constructor(sink: FileSink | undefined, nowMs: () => number) {
    this.#sink = sink;
    this.#nowMs = nowMs;
    this.#startedAt = nowMs();
  }

  /** @param path undefined keeps the history in memory only. */
  static async open(path: string | undefined, nowMs: () => number): Promise<HistoryLog> {
    if (path === undefined) return new HistoryLog(undefined, nowMs);
    return new HistoryLog(await FileSink.open(path, 'w'), nowMs);
  }

  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  /** Compare-and-sets that did what they had to: another value was there. In a history they fail. */
  get missed(): number {
    return this.#missed;
  }

  noteMissed(): void {
    this.#missed += 1;
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

  /** @throws CommandError when the file does not hold the whole history. */
  async close(): Promise<void> {
    await this.#sink?.close();
  }

  #add(event: Omit<HistoryEvent, 'index' | 'time'>): HistoryEvent {
    const time = Math.round((this.#nowMs() - this.#startedAt) * 1_000_000);
    const added: HistoryEvent = { ...event, index: this.#events.length, time };
    this.#events.push(added);
    this.#sink?.write(formatHistoryEvent(added));
    return added;
  }
}
