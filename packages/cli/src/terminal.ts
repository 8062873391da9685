import { createInterface } from 'node:readline/promises';

/** The part of a stream that commands write to. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Where a command writes and what surrounds it: the process, or a test's recorder. */
export interface Terminal {
  /** Data, and nothing else. */
  readonly stdout: TextSink;
  /** Progress, warnings, errors. */
  readonly stderr: TextSink;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted once whoever read the data is gone (`memgrid watch | head -1`). */
  readonly readerGone?: AbortSignal;
  /** Asks the person at the keyboard, and gives back what was typed; undefined when nobody is there. */
  readonly ask?: (question: string) => Promise<string>;
}

const reader = new AbortController();

export const PROCESS_TERMINAL: Terminal = {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  readerGone: reader.signal,
  ...(process.stdin.isTTY && process.stderr.isTTY ? { ask: askHere } : {}),
};

/**
 * Takes it that a reader may go away at any time: that is no failure of ours. Without this the next
 * write would end the process with a trace.
 */
export function expectReadersToLeave(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (stream === process.stdout) reader.abort();
    });
  }
}

async function askHere(question: string): Promise<string> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  // The end of the input, or Ctrl-C, is an answer too: none.
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  prompt.once('close', () => resolve(''));
  try {
    return await Promise.race([prompt.question(question), ended]);
  } finally {
    prompt.close();
  }
}

/** How wide a stream is; a pseudo terminal without a window says 0. */
export function columnsOf({ columns }: TextSink, otherwise: number): number {
  return columns === undefined || columns === 0 ? otherwise : columns;
}
