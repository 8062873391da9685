import { fileURLToPath } from 'node:url';
import { jsonOf } from '../child-program.ts';
import { TemporaryDirectory } from '../temporary-directory.ts';

const PROGRAM = fileURLToPath(new URL('entry-node.ts', import.meta.url));
const TIMEOUT_MS = 20 * 60 * 1_000;

export interface EntryProcessOptions {
  readonly data: string;
  readonly entries: number;
  readonly rate?: number;
  readonly seconds?: number;
}

/** Runs `entry-node.ts` in a process of its own. @returns the numbers it says in the end. */
export async function entryProcess(
  task: 'fill' | 'load' | 'serve',
  options: EntryProcessOptions,
): Promise<Readonly<Record<string, number>>> {
  const { data, entries, rate = 0, seconds = 0 } = options;
  const numbers = [`--entries=${entries}`, `--rate=${rate}`, `--seconds=${seconds}`];
  const args = [task, `--data=${data}`, ...numbers];
  return await jsonOf({ file: PROGRAM, args, signal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** A data directory for as long as `use` takes. */
export async function withDataDirectory<T>(use: (data: string) => Promise<T>): Promise<T> {
  using directory = new TemporaryDirectory();
  return await use(directory.path);
}
