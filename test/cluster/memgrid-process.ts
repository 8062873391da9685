import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Envelope } from 'memgrid';
import { until } from './until.ts';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

export interface Exit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One line of `--json` output. */
export type Line = { readonly event: string } & Readonly<Record<string, unknown>>;

/** A real `memgrid …` process, run from source with an environment of its own. */
export class MemgridProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<Exit>;
  #ended: Exit | undefined;
  #stdout = '';
  #stderr = '';

  constructor(argv: readonly string[]) {
    this.#child = spawn(process.execPath, ['--conditions=memgrid-source', MAIN, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: ownEnvironment(),
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#exit = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      // `close`, not `exit`: by then everything that was written has been read.
      this.#child.on('close', (exitCode, signal) => {
        this.#ended = { exitCode, signal };
        resolve(this.#ended);
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get exit(): Promise<Exit> {
    return this.#exit;
  }

  /** What it has printed so far with `--json`, a line each. */
  get lines(): readonly Line[] {
    const whole = this.#stdout.slice(0, this.#stdout.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  }

  /** Waits for a line; fails at once when the process ends without having printed it. */
  async line(event: string, matches: (line: Line) => boolean = () => true): Promise<Line> {
    return await until(`the line "${event}"`, () => {
      const found = this.lines.find((line) => line.event === event && matches(line));
      if (found === undefined && this.#ended !== undefined) {
        const how = JSON.stringify(this.#ended);
        throw new Error(`Ended (${how}) without "${event}":\n${this.#stdout}${this.#stderr}`);
      }
      return found;
    });
  }

  /** Goes away as `head` does when it has enough. */
  stopReading(): void {
    this.#child.stdout?.destroy();
  }

  /** Sends a signal to this very process; harmless once it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.#ended === undefined) this.#child.kill(signal);
  }

  /** Ends it, gently if that is possible. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGTERM');
    const patience = setTimeout(() => this.signal('SIGKILL'), 35_000);
    await this.#exit;
    clearTimeout(patience);
  }
}

/** Runs one command to its end. */
export async function memgrid(
  ...argv: readonly string[]
): Promise<Exit & { readonly envelope: Envelope & { readonly data: Record<string, unknown> } }> {
  await using command = new MemgridProcess([...argv, '--json']);
  const exit = await command.exit;
  const envelope = JSON.parse(command.stdout) as Envelope & { data: Record<string, unknown> };
  return { ...exit, envelope };
}

/** Without variables that would point the process at somebody else's cluster. */
function ownEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith('MEMGRID_') && name !== 'NODE_OPTIONS',
    ),
  );
}
