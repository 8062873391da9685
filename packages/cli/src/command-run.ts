import { ERROR_CODES, isClusterError, type ClusterError } from '@memgrid/protocol';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import type { Envelope } from './output/envelope.ts';
import { paintFor } from './output/paint.ts';
import type { Terminal } from './terminal.ts';

/** What a command found out, before anybody decided how to show it. */
export interface CommandResult {
  readonly data: unknown;
  /** The same for a person; plain when piped. Without a line end. */
  readonly text: string;
  readonly warnings?: readonly string[];
  readonly answeredBy?: readonly string[];
  readonly missing?: readonly string[];
  /** Defaults to good. */
  readonly exitCode?: ExitCode;
}

export interface CommandCall {
  readonly command: string;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Runs one command and shows its result or its failure; returns the exit code. Never throws. */
export async function runCommand(
  call: CommandCall,
  action: () => Promise<CommandResult>,
): Promise<ExitCode> {
  const startedAt = performance.now();
  const durationMs = (): number => Math.round(performance.now() - startedAt);
  try {
    const result = await action();
    showResult(call, result, durationMs());
    return result.exitCode ?? EXIT.good;
  } catch (error) {
    return showFailure(call, error, durationMs());
  }
}

function showResult(call: CommandCall, result: CommandResult, durationMs: number): void {
  const { stdout, stderr } = call.terminal;
  const { warnings = [], answeredBy = [], missing = [], data } = result;
  if (call.json) {
    const { command } = call;
    printEnvelope(call, { ok: true, command, data, warnings, durationMs, answeredBy, missing });
    return;
  }
  if (result.text !== '') stdout.write(`${result.text}\n`);
  const paint = paintFor(stderr, call.terminal);
  for (const warning of warnings) stderr.write(`${paint('yellow', 'warning:')} ${warning}\n`);
}

/** Shows why there is no answer; returns the exit code that says so. */
export function showFailure(call: CommandCall, error: unknown, durationMs = 0): ExitCode {
  const { code, message, hint, exitCode } = described(error);
  if (call.json) {
    printEnvelope(call, {
      ok: false,
      command: call.command,
      error: hint === undefined ? { code, message } : { code, message, hint },
      warnings: [],
      durationMs,
      answeredBy: [],
      missing: [],
    });
    return exitCode;
  }
  const { stderr } = call.terminal;
  const paint = paintFor(stderr, call.terminal);
  stderr.write(`${paint('red', 'error:')} ${message}\n`);
  if (hint !== undefined) stderr.write(`${paint('dim', 'hint:')} ${hint}\n`);
  return exitCode;
}

function printEnvelope(call: CommandCall, envelope: Envelope): void {
  call.terminal.stdout.write(`${JSON.stringify(envelope)}\n`);
}

interface Described {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
}

function described(error: unknown): Described {
  if (error instanceof CommandError) return error;
  if (isClusterError(error)) return describedCluster(error);
  // Errors of other packages that follow the same convention: a stable code, maybe a hint.
  const { code, hint } = error as { code?: unknown; hint?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  const trace = error instanceof Error && typeof code !== 'string' ? error.stack : undefined;
  return {
    code: typeof code === 'string' ? code : 'UNEXPECTED',
    // A failure that nobody foresaw is a bug: its trace is the only thing that helps.
    message: trace ?? message,
    hint: typeof hint === 'string' ? hint : undefined,
    exitCode: EXIT_BY_CODE[String(code)] ?? EXIT.failed,
  };
}

/** An error of the cluster: the table of codes says what to do next. */
function describedCluster({ code, message, applied }: ClusterError): Described {
  const { next } = ERROR_CODES[code];
  const unsure = applied === 'unknown' && code !== 'OPERATION_EXPIRED';
  // Of a read there is nothing to look after: what the table says of a timeout is about writes.
  const advice = code === 'TIMEOUT' ? '`memgrid status` tells how the cluster is.' : next;
  return {
    code,
    message,
    hint: unsure ? `It may have been carried out. ${next}` : advice,
    exitCode: EXIT_BY_CODE[code] ?? EXIT.failed,
  };
}

/** Errors that are more than "it did not work". */
const EXIT_BY_CODE: Partial<Record<string, ExitCode>> = {
  BAD_CONFIGURATION: EXIT.usage,
  BAD_CURSOR: EXIT.usage,
  BAD_REQUEST: EXIT.usage,
  BAD_TOKEN: EXIT.usage,
  SHARD_UNKNOWN: EXIT.usage,
  NOT_CONNECTED: EXIT.unreachable,
  MEMBER_NOT_FOUND: EXIT.notFound,
  NOT_FOUND: EXIT.notFound,
  ADDRESS_IN_USE: EXIT.conflict,
  DIRECTORY_LOCKED: EXIT.conflict,
  SCHEMA_CONFLICT: EXIT.conflict,
  SCOPE_CONFLICT: EXIT.conflict,
  VERSION_CONFLICT: EXIT.conflict,
};
