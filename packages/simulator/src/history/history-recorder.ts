import type { HistoryEvent } from './history-event.ts';

/** How an operation began: everything but its place in the history. */
export type BegunOperation = Omit<HistoryEvent, 'index' | 'type' | 'time'>;

/** What an end adds to the beginning. */
export type EndedOperation = Partial<Pick<HistoryEvent, 'value' | 'node' | 'token' | 'version'>>;

/** Writes a history while it happens. Ends may come in any order, each operation has one. */
export class HistoryRecorder {
  readonly #nowNs: () => number;
  readonly #events: HistoryEvent[] = [];

  /** @param nowNs whole nanoseconds since the recording began; never goes back. */
  constructor(nowNs: () => number) {
    this.#nowNs = nowNs;
  }

  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  begin(begun: BegunOperation): HistoryEvent {
    return this.#add({ ...begun, type: 'invoke' });
  }

  end(begun: HistoryEvent, type: 'ok' | 'fail' | 'info', ended: EndedOperation = {}): void {
    const { f, level, process } = begun;
    this.#add({
      f,
      process,
      type,
      ...(begun.key === undefined ? {} : { key: begun.key }),
      ...(level === undefined ? {} : { level }),
      ...ended,
    });
  }

  #add(event: Omit<HistoryEvent, 'index' | 'time'>): HistoryEvent {
    const added = { ...event, index: this.#events.length, time: this.#nowNs() };
    this.#events.push(added);
    return added;
  }
}
