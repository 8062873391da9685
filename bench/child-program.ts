import { fork } from 'node:child_process';
import { withoutMemgrid } from './cluster/node-process.ts';

export interface ChildProgram {
  /** A program of this folder, whose first import is `ends-with-parent.ts`. */
  readonly file: string;
  readonly args: readonly string[];
  /** Ends it at once. */
  readonly signal?: AbortSignal;
}

const STDERR_LENGTH_MAX = 4_000;

/**
 * Runs a program in a process of its own, which ends with this one however that comes.
 *
 * @returns what it wrote to stdout, read as JSON.
 * @throws Error with the end of its stderr when it fails; the signal's reason when that is aborted.
 */
export async function jsonOf<Value>({ file, args, signal }: ChildProgram): Promise<Value> {
  signal?.throwIfAborted();
  const child = fork(file, args, {
    execArgv: ['--conditions=memgrid-source'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: withoutMemgrid(process.env),
    // An interrupt at the terminal is for the bench, which then ends it.
    detached: true,
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_LENGTH_MAX);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      // `close`, not `exit`: by then everything that it wrote has been read.
      child.once('close', resolve);
      child.once('error', reject);
    });
    signal?.throwIfAborted();
    if (code !== 0) throw new Error(`${file} failed (${code ?? 'killed'}): ${stderr}`.trim());
    return JSON.parse(stdout) as Value;
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}
