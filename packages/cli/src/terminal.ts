/** The part of a stream that commands write to. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** Whoever read it is gone. */
  readonly destroyed?: boolean;
}

/** Where a command writes and what surrounds it: the process, or a test's recorder. */
export interface Terminal {
  /** Data, and nothing else. */
  readonly stdout: TextSink;
  /** Progress, warnings, errors. */
  readonly stderr: TextSink;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export const PROCESS_TERMINAL: Terminal = {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
};

/** How wide a stream is; a pseudo terminal without a window says 0. */
export function columnsOf({ columns }: TextSink, otherwise: number): number {
  return columns === undefined || columns === 0 ? otherwise : columns;
}
