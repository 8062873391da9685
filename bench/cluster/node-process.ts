import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

/** What a supervised node tells over its IPC channel; see `packages/cli/src/dev/supervision.ts`. */
type Report =
  | { readonly kind: 'listening'; readonly address: string; readonly httpAddress: string }
  | { readonly kind: 'started'; readonly nodeId: string; readonly generation: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export interface NodeProcessOptions {
  /** Collects everything the process writes. */
  readonly logFile: string;
  /** Of `memgrid start`. */
  readonly flags: readonly string[];
  /** More flags of Node itself. */
  readonly execArgv?: readonly string[];
}

/**
 * One real `memgrid start`. It ends by itself when this process does, however that comes: nothing
 * outlives a measurement.
 */
export class NodeProcess {
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #reports: Report[] = [];
  #hasEnded = false;
  #wake: () => void = () => undefined;

  constructor({ logFile, flags, execArgv = [] }: NodeProcessOptions) {
    const log = openSync(logFile, 'a');
    this.#logFile = logFile;
    this.#child = fork(MAIN, ['start', '--supervised', ...flags], {
      execArgv: ['--conditions=memgrid-source', ...execArgv],
      stdio: ['ignore', log, log, 'ipc'],
      env: withoutMemgrid(process.env),
      // Not here: a `memgrid.json` of the working directory is meant for another cluster.
      cwd: path.dirname(logFile),
    });
    closeSync(log);
    this.#child.on('message', (report: Report) => {
      this.#reports.push(report);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#hasEnded = true;
        this.#wake();
        resolve();
      };
      this.#child.once('exit', end);
      this.#child.once('error', end);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** @throws Error when the node fails or ends without having said it, with the end of its log. */
  async report<Kind extends Report['kind']>(kind: Kind): Promise<Extract<Report, { kind: Kind }>> {
    for (;;) {
      const found = this.#reports.find((report) => report.kind === kind);
      if (found !== undefined) return found as Extract<Report, { kind: Kind }>;
      const failed = this.#reports.find((report) => report.kind === 'failed');
      if (failed !== undefined) throw new NodeFailedError(failed.code, failed.message);
      if (this.#hasEnded) throw new NodeFailedError('NODE_DIED', this.logTail(20));
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** With whom to found, or where to find, the cluster. */
  introduce(seeds: readonly string[], expect: number): void {
    if (this.#child.connected) this.#child.send({ kind: 'found', seeds, expect });
  }

  /** Sends a signal to this process and to nothing else; harmless once it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (!this.#hasEnded) this.#child.kill(signal);
  }

  logTail(lines: number): string {
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}

export class NodeFailedError extends Error {
  override readonly name = 'NodeFailedError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** Without variables that would point a process at somebody else's cluster. */
export function withoutMemgrid(environment: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !name.startsWith('MEMGRID_') && name !== 'NODE_OPTIONS',
    ),
  );
}
