import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PortInUseError } from './free-ports.ts';
import { fileOnPath, programFile, type Program } from './program.ts';

export interface ServerProcessOptions {
  readonly program: Program;
  readonly args: readonly string[];
  /** Where it runs, and where what it writes is collected. */
  readonly directory: string;
  /** Resolves to true once it answers; asked again until then. */
  readonly isReady: (server: ServerProcess) => Promise<boolean>;
}

const READY_TIMEOUT_MS = 15_000;
const LOOK_MS = 20;
const STOP_GRACE_MS = 3_000;
/** As Redis, memcached and nats-server put it. */
const PORT_IN_USE = /address already in use|failed to listen on/i;

/** Every server that runs, for the case that this process ends without having stopped them. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * One server of a peer. It never outlives this process: it is killed when the process exits, and,
 * where `setpriv` can arrange that with the kernel, also when the process is killed.
 */
export class ServerProcess {
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #name: string;
  #hasEnded = false;

  private constructor({ program, args, directory }: ServerProcessOptions) {
    this.#name = program.name;
    this.#logFile = path.join(directory, `${program.name}.log`);
    const file = programFile(program);
    const leash = fileOnPath('setpriv');
    const [command = file, ...rest] =
      leash === undefined
        ? [file, ...args]
        : [leash, '--pdeathsig', 'SIGKILL', '--', file, ...args];
    const log = openSync(this.#logFile, 'a');
    // Away from this process group: an interrupt at the terminal is for the bench, which still
    // wants to say what it measured before its servers go.
    const stdio = ['ignore', log, log] as const;
    this.#child = spawn(command, rest, { cwd: directory, detached: true, stdio: [...stdio] });
    closeSync(log);
    running.add(this.#child);
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#hasEnded = true;
        running.delete(this.#child);
        resolve();
      };
      this.#child.once('exit', end);
      this.#child.once('error', end);
    });
  }

  /**
   * Starts it and waits until it answers.
   *
   * @throws NotInstalledError, PortInUseError, or Error with the end of its log when it ends before
   * that, or takes longer than 15 seconds.
   */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    try {
      await server.#ready(options.isReady);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** `setpriv` becomes the server, so this is the server's own. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  /** In good order, and by force when that takes too long. Idempotent. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.kill('SIGTERM');
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS);
    await this.ended;
    clearTimeout(patience);
  }

  async #ready(isReady: ServerProcessOptions['isReady']): Promise<void> {
    const until = performance.now() + READY_TIMEOUT_MS;
    while (!(await isReady(this))) {
      if (this.#hasEnded || performance.now() > until) {
        const problem = this.#hasEnded ? 'ended at once' : `is not ready after 15 s`;
        const sentence = `${this.#name} ${problem}:\n${this.log.trimEnd()}`;
        throw PORT_IN_USE.test(this.log) ? new PortInUseError(sentence) : new Error(sentence);
      }
      await pause(LOOK_MS);
    }
    // Somebody else may answer on a port that this server did not get.
    if (this.#hasEnded) throw new PortInUseError(`${this.#name} ended at once:\n${this.log}`);
  }
}
