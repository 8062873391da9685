import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of this repository. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/**
 * Every file that a commit made now would hold, relative to the root, sorted.
 *
 * Includes files that are not added yet, so that a rule speaks before the commit and not after.
 */
export function repositoryFiles(): readonly string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const listed = execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8' });
  const names = new Set(listed.split('\0').filter((name) => name !== ''));
  return [...names].filter((name) => existsSync(join(REPOSITORY, name))).sort();
}

export function readRepositoryFile(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}
