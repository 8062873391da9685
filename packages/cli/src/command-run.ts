import { ERROR_CODES, isClusterError, type ClusterError } from '@memgrid/protocol';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import type { Envelope } from './output/envelope.ts';
import { paintFor } from './output/paint.ts';
import { shellLine } from './shell-line.ts';
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
  /** What was typed, of a command that writes: asking again begins with it. */
  readonly argv?: readonly string[];
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
  const { code, message, hint, exitCode, operationId } = described(error, call);
  if (call.json) {
    printEnvelope(call, {
      ok: false,
      command: call.command,
      error: {
        code,
        message,
        ...(hint === undefined ? {} : { hint }),
        ...(operationId === undefined ? {} : { operationId }),
      },
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
  /** Of a write. */
  readonly operationId?: string | undefined;
}

function described(error: unknown, call: CommandCall): Described {
  if (error instanceof CommandError) return error;
  if (isClusterError(error)) return describedCluster(error, call);
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
function describedCluster(error: ClusterError, call: CommandCall): Described {
  const { code, message, operationId } = error;
  const hint = adviceOn(error, call);
  return { code, message, hint, exitCode: EXIT_BY_CODE[code] ?? EXIT.failed, operationId };
}

function adviceOn({ code, applied, retry, operationId }: ClusterError, call: CommandCall): string {
  const { next } = ERROR_CODES[code];
  if (applied === 'unknown' && code !== 'OPERATION_EXPIRED') {
    if (operationId === undefined || call.argv === undefined) {
      return `It may have been carried out. ${next}`;
    }
    return (
      'It may have been carried out. This tells, and does nothing twice:\n' +
      `  ${askingAgain(call.argv, operationId)}`
    );
  }
  // Of a read there is nothing to look after: what the table says of a timeout is about writes.
  const advice = WAITED_IN_VAIN.has(code) ? '`memgrid status` tells how the cluster is.' : next;
  return operationId === undefined || retry === 'never' ? advice : `Nothing was changed. ${advice}`;
}

const WAITED_IN_VAIN: ReadonlySet<string> = new Set(['TIMEOUT', 'SHARD_UNAVAILABLE']);

/** The same command, with the id of the operation that it began. */
function askingAgain(argv: readonly string[], operationId: string): string {
  const named = argv.some((word) => word.split('=', 1)[0] === '--operation-id');
  const [command = '', ...rest] = argv;
  // Right after its name: what stands behind `--` would be no option any more.
  const again = named ? argv : [command, '--operation-id', operationId, ...rest];
  return shellLine(['memgrid', ...again]);
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
  IMMUTABLE_ENTRY: EXIT.conflict,
  SCHEMA_CONFLICT: EXIT.conflict,
  SCOPE_CONFLICT: EXIT.conflict,
  VERSION_CONFLICT: EXIT.conflict,
};
