import { CommandError } from '../command-error.ts';
import type { CommandErrorOptions } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { showDuration } from '../duration.ts';

export interface AdminClientOptions {
  /** `http://host:port`. */
  readonly url: string;
  readonly timeoutMs: number;
  /** Empty for none. */
  readonly token: string;
}

/** The body of a refusal, as every node sends it. */
interface Refusal {
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly hint?: unknown };
}

const EXIT_BY_STATUS: Readonly<Record<number, ExitCode>> = {
  400: EXIT.usage,
  401: EXIT.unauthorised,
  403: EXIT.unauthorised,
  404: EXIT.notFound,
  409: EXIT.conflict,
};

/** Asks one node over its admin HTTP. Every failure is a `CommandError` that says what to do. */
export class AdminClient {
  readonly #options: AdminClientOptions;

  constructor(options: AdminClientOptions) {
    this.#options = options;
  }

  get url(): string {
    return this.#options.url;
  }

  get(path: string): Promise<unknown> {
    return this.#ask(path, { method: 'GET' });
  }

  post(path: string, body: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    return this.#ask(path, { method: 'POST', body: JSON.stringify(body), headers });
  }

  async #ask(path: string, init: RequestInit): Promise<unknown> {
    const { url, timeoutMs, token } = this.#options;
    const headers = new Headers(init.headers);
    if (token !== '') headers.set('authorization', `Bearer ${token}`);
    const signal = AbortSignal.timeout(timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL(path, url), { ...init, headers, signal, redirect: 'error' });
      text = await response.text();
    } catch (error) {
      throw this.#unreachable(error);
    }
    const body = parsed(text);
    if (response.ok && body !== undefined) return body;
    throw this.#refused(response.status, body as Refusal | undefined);
  }

  #unreachable(error: unknown): CommandError {
    const { url, timeoutMs } = this.#options;
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    const why = timedOut
      ? `did not answer within ${showDuration(timeoutMs)}`
      : `can not be reached (${reasonOf(error)})`;
    return new CommandError('NO_NODE_REACHABLE', `${url} ${why}.`, {
      exitCode: EXIT.unreachable,
      hint: 'Is it running? Name another node with --node or MEMGRID_NODE.',
      cause: error,
    });
  }

  #refused(status: number, body: Refusal | undefined): CommandError {
    const { url } = this.#options;
    const exitCode = EXIT_BY_STATUS[status] ?? EXIT.failed;
    const { code, message, hint } = body?.error ?? {};
    if (typeof code !== 'string' || typeof message !== 'string') {
      return new CommandError('NOT_A_NODE', `${url} answered ${status}, not as a memgrid node.`, {
        exitCode: exitCode === EXIT.unauthorised ? exitCode : EXIT.unreachable,
        hint: 'Check --node: it is the HTTP address of a node, by default port 7780.',
      });
    }
    const options: CommandErrorOptions =
      exitCode === EXIT.unauthorised
        ? { exitCode, hint: 'Put the token of the cluster into MEMGRID_TOKEN.' }
        : { exitCode, hint: typeof hint === 'string' ? hint : undefined };
    return new CommandError(code, message, options);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not ours: whoever answers in another language is reported as such by the caller.
    return undefined;
  }
}

/** `fetch` hides the reason in the cause: ECONNREFUSED, ENOTFOUND, … */
function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: unknown; message?: unknown } } | null)?.cause;
  if (typeof cause?.code === 'string') return cause.code;
  if (typeof cause?.message === 'string') return cause.message;
  return error instanceof Error ? error.message : String(error);
}
