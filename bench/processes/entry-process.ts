import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PROGRAM = fileURLToPath(new URL('entry-node.ts', import.meta.url));
const TIMEOUT_MS = 20 * 60 * 1000;

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
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--conditions=memgrid-source',
      PROGRAM,
      task,
      `--data=${data}`,
      `--entries=${entries}`,
      `--rate=${rate}`,
      `--seconds=${seconds}`,
    ],
    { timeout: TIMEOUT_MS },
  );
  return JSON.parse(stdout) as Record<string, number>;
}

/** A data directory for as long as `use` takes. */
export async function withDataDirectory<T>(use: (data: string) => Promise<T>): Promise<T> {
  const data = mkdtempSync(path.join(tmpdir(), 'memgrid-bench-'));
  try {
    return await use(data);
  } finally {
    rmSync(data, { recursive: true });
  }
}
