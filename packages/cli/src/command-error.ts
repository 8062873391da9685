import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';

export interface CommandErrorOptions {
  readonly exitCode?: ExitCode;
  /** What to do about it, in a sentence. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** A command ends without its answer. `code` is stable, for scripts: `NO_NODE_REACHABLE`. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: CommandErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.exitCode = options.exitCode ?? EXIT.failed;
    this.hint = options.hint;
  }
}
