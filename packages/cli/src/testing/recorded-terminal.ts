import type { Terminal } from '../terminal.ts';

/** A terminal that remembers what was written to it. */
export interface RecordedTerminal extends Terminal {
  readonly out: () => string;
  readonly err: () => string;
}

/** Not a terminal in the sense of `isTTY` unless `interactive`. */
export function recordedTerminal(
  environment: Readonly<Record<string, string>> = {},
  interactive = false,
): RecordedTerminal {
  const written = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({
    isTTY: interactive,
    write: (text: string) => {
      written[name] += text;
    },
  });
  return {
    stdout: sink('out'),
    stderr: sink('err'),
    environment,
    out: () => written.out,
    err: () => written.err,
  };
}
