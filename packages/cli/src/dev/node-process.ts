import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isNodeReport } from './supervision.ts';
import type { NodeReport, FoundOrder } from './supervision.ts';

export interface NodeProcessOptions {
  /** `n1`, `n2`, …: what a person calls it in this session. */
  readonly label: string;
  /** Flags of `memgrid start`. */
  readonly flags: readonly string[];
  /** Collects everything the process writes. */
  readonly logFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** How a process ended. */
export interface Ending {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What others may know of a node's process. */
export interface RunningProcess {
  readonly pid: number;
  /** Undefined while it runs. */
  readonly ending: Ending | undefined;
  /** Resolves when the process has ended, however it did. */
  readonly ended: Promise<Ending>;
  /** The last lines it wrote, to show why it died. */
  logTail(linesMax: number): readonly string[];
}

/** This same program: `.ts` in a clone, `.js` when published. */
const MAIN = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url),
);

/** One `memgrid start` as a child process: this same program, from the same sources or files. */
export class NodeProcess implements RunningProcess {
  readonly label: string;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #reports: NodeReport[] = [];
  readonly #ended: Promise<Ending>;
  #ending: Ending | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: NodeProcessOptions) {
    this.label = options.label;
    this.#logFile = options.logFile;
    const log = openSync(options.logFile, 'a');
    this.#child = fork(MAIN, ['start', '--supervised', ...options.flags], {
      // The same import conditions as this process; `fork` passes `execArgv` on by default.
      stdio: ['ignore', log, log, 'ipc'],
      env: ownEnvironment(options.environment),
      // Not here: a `memgrid.json` of the working directory is meant for another cluster.
      cwd: dirname(options.logFile),
    });
    closeSync(log);
    this.#child.on('message', (message: unknown) => {
      if (!isNodeReport(message)) return;
      this.#reports.push(message);
      this.#wakeWaiting();
    });
    this.#ended = new Promise((resolve) => {
      const end = (ending: Ending): void => {
        this.#ending ??= ending;
        this.#wakeWaiting();
        resolve(this.#ending);
      };
      this.#child.on('exit', (exitCode, signal) => end({ exitCode, signal }));
      // The process could not even be started.
      this.#child.on('error', () => end({ exitCode: null, signal: null }));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  get ended(): Promise<Ending> {
    return this.#ended;
  }

  /** The first report of a kind; undefined when the process ends or fails without giving it. */
  async report<Kind extends NodeReport['kind']>(
    kind: Kind,
  ): Promise<Extract<NodeReport, { kind: Kind }> | undefined> {
    for (;;) {
      const found = this.#reports.find((report) => report.kind === kind);
      if (found !== undefined) return found as Extract<NodeReport, { kind: Kind }>;
      if (this.#ending !== undefined || this.failure !== undefined) return undefined;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** What the node said about why it did not start. */
  get failure(): Extract<NodeReport, { kind: 'failed' }> | undefined {
    return this.#reports.find((report) => report.kind === 'failed');
  }

  tell(order: FoundOrder): void {
    // A node that ended meanwhile is reported by `ended`; there is nobody left to tell.
    if (this.#child.connected) this.#child.send(order, () => undefined);
  }

  /** Sends a signal to this process and to nothing else; harmless once it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.#ending === undefined) this.#child.kill(signal);
  }

  logTail(linesMax: number): readonly string[] {
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-linesMax);
  }
}

/** Variables of a local cluster that make sense for every one of its nodes. */
const SHARED_VARIABLES = ['MEMGRID_TOKEN', 'MEMGRID_LOG_LEVEL', 'MEMGRID_LOG_FORMAT'];

/** The environment without what would tie a node to another cluster, such as `MEMGRID_SEEDS`. */
function ownEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !name.startsWith('MEMGRID_') || SHARED_VARIABLES.includes(name),
    ),
  );
}
