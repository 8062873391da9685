import { EventFeed } from './event-feed.ts';
import type { ObservedEvent } from './event-levels.ts';
import { LogLines } from './log-lines.ts';
import type { LogLinesOptions } from './log-lines.ts';
import { Metrics } from './metrics.ts';

/** Where every event goes: a log line, a counter, and whoever reads along. */
export class Observer {
  readonly metrics: Metrics;
  readonly feed = new EventFeed();
  readonly #lines: LogLines;

  constructor(version: string, log: LogLinesOptions) {
    this.metrics = new Metrics(version);
    this.#lines = new LogLines(log);
  }

  identify(node: string, generation: number): void {
    this.#lines.identify(node, generation);
  }

  show(event: ObservedEvent): void {
    this.#lines.show(event);
    this.metrics.count(event);
    this.feed.publish(event);
  }
}
