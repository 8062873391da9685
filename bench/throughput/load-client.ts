import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadResult, WorkloadName } from 'memgrid/bench';
import { withoutMemgrid } from '../cluster/node-process.ts';
import type {
  DatasetChoice,
  Load,
  LoadAnswers,
  LoadCommand,
  LoadReply,
  SubjectFacts,
} from './load-protocol.ts';
import type { Target } from './target.ts';

const PROGRAM = fileURLToPath(new URL('load-process.ts', import.meta.url));
const STDERR_LENGTH_MAX = 4_000;

export interface LoadClientOptions {
  readonly target: Target;
  readonly dataset: DatasetChoice;
  readonly pids: readonly number[];
}

/** A process of its own with one client, connected to one system. It ends when this one does. */
export class LoadClient implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #hasEnded = false;
  #stderr = '';
  #waiting: ((reply: LoadReply) => void) | undefined;
  #facts: SubjectFacts | undefined;

  private constructor() {
    this.#child = fork(PROGRAM, [], {
      execArgv: ['--conditions=memgrid-source'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: withoutMemgrid(process.env),
      // An interrupt at the terminal is for the bench, which then asks for what was measured so far.
      detached: true,
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_LENGTH_MAX);
    });
    this.#child.on('message', (reply: LoadReply) => this.#answer(reply));
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#hasEnded = true;
        this.#answer({ kind: 'failed', message: `The load process ended. ${this.#stderr}`.trim() });
        resolve();
      };
      // `close`, not `exit`: by then everything that it wrote has been read.
      this.#child.once('close', end);
      this.#child.once('error', end);
    });
  }

  /** @throws Error when it cannot connect, with what the client says. */
  static async connect(options: LoadClientOptions): Promise<LoadClient> {
    const client = new LoadClient();
    try {
      client.#facts = await client.#ask({ kind: 'connect', ...options });
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get facts(): SubjectFacts {
    if (this.#facts === undefined) throw new Error('This load process is not connected.');
    return this.#facts;
  }

  /** Stores every entry. */
  async fill(): Promise<void> {
    await this.#ask({ kind: 'fill' });
  }

  /** Whatever a workload needs beside that. */
  async prepare(workload: WorkloadName): Promise<void> {
    await this.#ask({ kind: 'prepare', workload });
  }

  /** @throws Error when the process ends meanwhile. What the servers do is in the result. */
  async load(load: Load, signal: AbortSignal): Promise<LoadResult> {
    const interrupt = (): void => {
      if (this.#child.connected) this.#child.send({ kind: 'interrupt' });
    };
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      const asked = this.#ask({ kind: 'load', load });
      if (signal.aborted) interrupt();
      return await asked;
    } finally {
      signal.removeEventListener('abort', interrupt);
    }
  }

  /** @param intervalUs between two looks at what the process does. */
  async beginProfile(intervalUs: number): Promise<void> {
    await this.#ask({ kind: 'profile', intervalUs });
  }

  /** Ends it. @returns the text of a `.cpuprofile`. */
  async endProfile(): Promise<string> {
    return (await this.#ask({ kind: 'profile' })) ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async #ask<Kind extends LoadCommand['kind']>(
    command: LoadCommand & { readonly kind: Kind },
  ): Promise<LoadAnswers[Kind]> {
    if (this.#hasEnded) throw new Error(`The load process ended. ${this.#stderr}`.trim());
    const reply = await new Promise<LoadReply>((resolve) => {
      this.#waiting = resolve;
      this.#child.send(command);
    });
    if (reply.kind === 'failed') throw new Error(reply.message);
    return reply.value as LoadAnswers[Kind];
  }

  #answer(reply: LoadReply): void {
    this.#waiting?.(reply);
    this.#waiting = undefined;
  }
}
