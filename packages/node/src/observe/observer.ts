import { EventFeed } from './event-feed.ts';
import type { ObservedEvent } from './event-levels.ts';
import type { LineSink } from './line-sink.ts';
import { LogLines } from './log-lines.ts';
import type { LogLinesOptions } from './log-lines.ts';
import { Metrics } from './metrics.ts';

/** Where every event goes: a log line, a counter, and whoever reads along. */
export class Observer {
  readonly metrics: Metrics;
  readonly feed = new EventFeed();
  readonly #lines: LogLines;
  readonly #sink: LineSink;

  constructor(version: string, log: LogLinesOptions) {
    this.metrics = new Metrics(version);
    this.#lines = new LogLines(log);
    this.#sink = log.to;
  }

  identify(node: string, generation: number): void {
    this.#lines.identify(node, generation);
  }

  show(event: ObservedEvent): void {
    this.#lines.show(event);
    this.metrics.count(event);
    this.feed.publish(event);
  }

  /** Ends what reads along, and waits until the last line has left this process. */
  async close(): Promise<void> {
    this.feed.end();
    await new Promise<void>((resolve) => {
      if (this.#sink.flush === undefined) resolve();
      else this.#sink.flush(() => resolve());
    });
  }
}
