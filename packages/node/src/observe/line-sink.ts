import { pino } from 'pino';

/** Takes whole lines, newline included. */
export interface LineSink {
  write(line: string): unknown;
  /** Calls back when everything written so far has left this process. */
  flush?(done: () => void): void;
}

/** Lines that wait for a reader, at most; further ones are lost. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Standard error, written beside the event loop.
 *
 * `process.stderr` blocks when it is a pipe: a log collector that stops reading would stop the
 * node with it, and the cluster would count a death that a full pipe caused.
 */
export function standardError(): LineSink {
  return pino.destination({ dest: 2, sync: false, maxLength: WAITING_BYTES_MAX });
}
