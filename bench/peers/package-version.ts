import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
}

/**
 * `ioredis 6.0.0`: what is installed, whatever was asked for. Found from the package's entry point,
 * for few packages let others read their `package.json`.
 */
export function packageVersion(name: string): string {
  let directory = path.dirname(fileURLToPath(import.meta.resolve(name)));
  for (;;) {
    const manifest = manifestIn(directory);
    if (manifest?.name === name) return `${name} ${manifest.version ?? 'of no version'}`;
    const parent = path.dirname(directory);
    if (parent === directory) throw new Error(`The package ${name} has no package.json.`);
    directory = parent;
  }
}

function manifestIn(directory: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as Manifest;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
