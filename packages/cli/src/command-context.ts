import type { Command } from 'commander';
import type { ExitCode } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** What a command gets from whoever runs it. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** What was typed after `memgrid`. */
  readonly argv: readonly string[];
  /** Says how the command ended; called once by the action that ran. */
  readonly finish: (exitCode: ExitCode) => void;
}

/** Adds options, help and the action to a command that so far has a name and a summary. */
export type DefineCommand = (command: Command, context: CommandContext) => void;
