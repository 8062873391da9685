import type { ObservedEvent } from './event-levels.ts';

/** Events that one slow reader may have waiting; then the oldest go and a gap is told. */
const WAITING_MAX = 1_024;

interface Reader {
  readonly waiting: ObservedEvent[];
  dropped: number;
  wake: (() => void) | undefined;
}

/** Gives every reader all events from the moment it began to read. */
export class EventFeed {
  readonly #readers = new Set<Reader>();
  #ended = false;

  publish(event: ObservedEvent): void {
    for (const reader of this.#readers) {
      reader.waiting.push(event);
      if (reader.waiting.length > WAITING_MAX) {
        reader.waiting.shift();
        reader.dropped += 1;
      }
      reader.wake?.();
    }
  }

  /** No further events: every reader finishes after what it still has. */
  end(): void {
    this.#ended = true;
    for (const reader of this.#readers) reader.wake?.();
  }

  /**
   * Events from now on, until the feed ends, `signal` aborts or the reader stops. Reading begins
   * with this call and not with the first `next`, so nothing between the two is missed.
   */
  read(signal?: AbortSignal): AsyncIterableIterator<ObservedEvent> {
    const reader: Reader = { waiting: [], dropped: 0, wake: undefined };
    this.#readers.add(reader);
    const stop = (): void => {
      this.#readers.delete(reader);
      reader.wake?.();
    };
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) stop();
    const next = async (): Promise<IteratorResult<ObservedEvent>> => {
      for (;;) {
        const event = take(reader);
        if (event !== undefined) return { value: event, done: false };
        if (this.#ended || !this.#readers.has(reader)) return { value: undefined, done: true };
        await new Promise<void>((resolve) => {
          reader.wake = resolve;
        });
        reader.wake = undefined;
      }
    };
    return {
      next,
      return: async () => {
        stop();
        return { value: undefined, done: true };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

function take(reader: Reader): ObservedEvent | undefined {
  if (reader.dropped > 0) {
    const count = reader.dropped;
    reader.dropped = 0;
    return { name: 'events.dropped', count };
  }
  return reader.waiting.shift();
}
