import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type as systemName } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Where and with what something was measured. */
export interface MeasuredOn {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly system: string;
  };
  /** Of memgrid's sources, `+changes` when they are not as committed; null for an installed package. */
  readonly commit: string | null;
  readonly versions: { readonly memgrid: string; readonly node: string };
}

/** Looks at this machine and these sources. */
export async function measuredOn(): Promise<MeasuredOn> {
  const [first] = cpus();
  return {
    machine: {
      cpu: first?.model.trim() ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
      system: `${systemName()} ${release()}`,
    },
    commit: await commit(),
    versions: { memgrid: memgridVersion(), node: process.versions.node },
  };
}

/** The package of this file; the same distance from `src/bench` and from `dist/bench`. */
const MANIFEST = new URL('../../package.json', import.meta.url);

/** The version of this package, which all packages of memgrid share. */
export function memgridVersion(): string {
  return (JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string }).version;
}

async function commit(): Promise<string | null> {
  const cwd = fileURLToPath(new URL('.', MANIFEST));
  const git = async (...argv: readonly string[]): Promise<string> =>
    (await promisify(execFile)('git', argv, { cwd })).stdout.trim();
  try {
    // An installed package lies in somebody else's repository, which does not know this file.
    await git('ls-files', '--error-unmatch', 'package.json');
    const changed = await git('status', '--porcelain', '--untracked-files=no', '--', '..');
    return (await git('rev-parse', '--short', 'HEAD')) + (changed === '' ? '' : '+changes');
  } catch {
    // No repository, or no git: the version has to be enough.
    return null;
  }
}
