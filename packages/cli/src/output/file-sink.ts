import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { CommandError } from '../command-error.ts';
import { untilDrained } from './until-drained.ts';

/**
 * A file that is written line by line. What the disk refuses is told by the next call: a stream
 * that fails between two calls must not end the process with a trace.
 */
export class FileSink {
  readonly #path: string;
  readonly #stream: WriteStream;
  #problem: Error | undefined;

  private constructor(path: string, stream: WriteStream) {
    this.#path = path;
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#problem ??= error;
    });
  }

  /** @throws CommandError when the file cannot be opened. */
  static async open(path: string, flags: 'a' | 'w'): Promise<FileSink> {
    const stream = createWriteStream(path, { flags });
    const sink = new FileSink(path, stream);
    try {
      await once(stream, 'open');
    } catch (error) {
      throw sink.#error(error as Error);
    }
    return sink;
  }

  /** Takes the text at once; `drained` tells when there is room for more. */
  write(text: string): void {
    this.#stream.write(text);
  }

  /** @throws CommandError when the disk has refused something. */
  async drained(): Promise<void> {
    if (this.#problem === undefined && this.#stream.writableNeedDrain) {
      await untilDrained(this.#stream);
    }
    if (this.#problem !== undefined) throw this.#error(this.#problem);
  }

  /** @throws CommandError when not everything reached the file. */
  async close(): Promise<void> {
    if (!this.#stream.closed) {
      this.#stream.end();
      await once(this.#stream, 'close').catch(() => undefined);
    }
    if (this.#problem !== undefined) throw this.#error(this.#problem);
  }

  #error(cause: Error): CommandError {
    return new CommandError('FILE_NOT_WRITTEN', `${this.#path} is not written: ${cause.message}.`, {
      hint: 'Is there room, and may this user write there?',
      cause,
    });
  }
}
