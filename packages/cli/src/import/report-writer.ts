import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import type { ReportHead } from './import-report.ts';
import type { LineOutcome } from './importer.ts';

/** Writes what became of each line, as it becomes known. */
export class ReportWriter {
  readonly #stream: WriteStream;

  private constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  /** Goes on behind earlier runs. */
  static async open(path: string, head: ReportHead | undefined): Promise<ReportWriter> {
    const stream = createWriteStream(path, { flags: 'a' });
    await once(stream, 'open');
    const writer = new ReportWriter(stream);
    // A line of an earlier run that was cut off ends here, and is no line of ours.
    await writer.#write(head === undefined ? '\n' : `${JSON.stringify(head)}\n`);
    return writer;
  }

  async add(outcome: LineOutcome): Promise<void> {
    if (outcome.kind === 'blank' || outcome.kind === 'skipped') return;
    const { kind, line, ...rest } = outcome;
    await this.#write(`${JSON.stringify({ line, outcome: kind, ...rest })}\n`);
  }

  async close(): Promise<void> {
    this.#stream.end();
    await once(this.#stream, 'close');
  }

  async #write(text: string): Promise<void> {
    if (!this.#stream.write(text)) await once(this.#stream, 'drain');
  }
}
