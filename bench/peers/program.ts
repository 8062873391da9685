import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** A program of another project, as Debian packs it. */
export interface Program {
  readonly name: string;
  /** The Debian package that has it. */
  readonly aptPackage: string;
}

export const REDIS_SERVER: Program = { name: 'redis-server', aptPackage: 'redis-server' };
export const MEMCACHED: Program = { name: 'memcached', aptPackage: 'memcached' };
export const NATS_SERVER: Program = { name: 'nats-server', aptPackage: 'nats-server' };

/** What the path of an ordinary account leaves out, and where Debian puts `nats-server`. */
const MORE_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** A peer that cannot be measured here; the message says what to install. */
export class NotInstalledError extends Error {
  override readonly name = 'NotInstalledError';

  constructor({ aptPackage }: Program) {
    super(`not installed: apt-get install ${aptPackage}`);
  }
}

/** @throws NotInstalledError when no directory of the path has it. */
export function programFile(program: Program): string {
  const found = fileOnPath(program.name);
  if (found === undefined) throw new NotInstalledError(program);
  return found;
}

/** The file that a shell would run, or undefined. */
export function fileOnPath(name: string): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  return [...onPath, ...MORE_DIRECTORIES]
    .map((directory) => path.join(directory, name))
    .find(isExecutable);
}

/** `7.0.15`: the first thing that looks like a version in what `--version` prints. */
export function programVersion(program: Program): string {
  const text = execFileSync(programFile(program), ['--version'], { encoding: 'utf8' });
  const version = /\d+\.\d+\.\d+/.exec(text)?.[0];
  if (version === undefined) throw new Error(`${program.name} --version says no version: ${text}`);
  return version;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not in this directory: the next one may have it.
    return false;
  }
}
