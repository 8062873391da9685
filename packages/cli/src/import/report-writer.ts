import { FileSink } from '../output/file-sink.ts';
import type { ReportHead } from './import-report.ts';
import type { LineOutcome } from './importer.ts';

/** Writes what became of each line, as it becomes known. */
export class ReportWriter {
  readonly #sink: FileSink;

  private constructor(sink: FileSink) {
    this.#sink = sink;
  }

  /**
   * Goes on behind earlier runs.
   *
   * @param head undefined when the file has one.
   */
  static async open(path: string, head: ReportHead | undefined): Promise<ReportWriter> {
    const sink = await FileSink.open(path, 'a');
    // A line of an earlier run that was cut off ends here, and is no line of ours.
    sink.write(head === undefined ? '\n' : `${JSON.stringify(head)}\n`);
    return new ReportWriter(sink);
  }

  async add(outcome: LineOutcome): Promise<void> {
    if (outcome.kind === 'blank' || outcome.kind === 'skipped') return;
    const { kind, line, ...rest } = outcome;
    this.#sink.write(`${JSON.stringify({ line, outcome: kind, ...rest })}\n`);
    await this.#sink.drained();
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}
