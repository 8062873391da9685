import { pino } from 'pino';
import type { Logger } from 'pino';
import { levelOf } from './event-levels.ts';
import type { ObservedEvent } from './event-levels.ts';
import type { LineSink } from './line-sink.ts';
import { textLine } from './text-line.ts';

export interface LogLinesOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug' | 'silent';
  readonly format: 'json' | 'text';
  readonly to: LineSink;
}

/**
 * Shows events as log lines: one event, one line, one JSON object, under the event's stable name.
 * Nothing else in this package logs.
 */
export class LogLines {
  #logger: Logger;

  constructor(options: LogLinesOptions) {
    const { to, format } = options;
    const sink = format === 'json' ? to : { write: (line: string) => to.write(textLine(line)) };
    this.#logger = pino(
      {
        level: options.level,
        // Host and process are the business of whatever collects the lines.
        base: null,
        messageKey: 'event',
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      sink,
    );
  }

  /** From now on every line says which node it is about. */
  identify(node: string, generation: number): void {
    this.#logger = this.#logger.child({ node, generation });
  }

  show(event: ObservedEvent): void {
    const { name, ...fields } = event;
    this.#logger[levelOf(event)](renamed(fields), name);
  }
}

/** `node` and `generation` say who speaks; an event about somebody's generation names it apart. */
function renamed(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { generation, ...rest } = fields;
  return generation === undefined ? rest : { ...rest, memberGeneration: generation };
}
