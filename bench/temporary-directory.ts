import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PREFIX = 'memgrid-bench-';
/** `memgrid-bench-4711-aB3xYz`: the number is the id of the process whose directory it is. */
const NAME = /^memgrid-bench-(\d+)-[A-Za-z0-9]{6}$/;

const open = new Set<string>();
process.on('exit', () => {
  for (const directory of open) remove(directory);
});

/**
 * A directory for what the servers of a measurement write. It is gone when it is disposed of, and when
 * this process exits. What a killed process leaves is named after it, for `removeLeftovers` of the next.
 */
export class TemporaryDirectory implements Disposable {
  readonly path = mkdtempSync(path.join(tmpdir(), `${PREFIX}${process.pid}-`));

  constructor() {
    open.add(this.path);
  }

  [Symbol.dispose](): void {
    open.delete(this.path);
    remove(this.path);
  }
}

/**
 * Removes the directories of processes that are gone: a run that was killed could not do it. Whoever
 * still lives keeps theirs, and so do other users, and a stranger who has got the id of a dead one since.
 *
 * @returns what was removed.
 */
export function removeLeftovers(folder: string = tmpdir()): readonly string[] {
  const leftovers = readdirSync(folder).filter((name) => {
    const pid = NAME.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid)) && isOwn(path.join(folder, name));
  });
  const directories = leftovers.map((name) => path.join(folder, name));
  for (const directory of directories) remove(directory);
  return directories;
}

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** Nobody may remove what another user has left in a folder of all. */
function isOwn(directory: string): boolean {
  const found = lstatSync(directory, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return false;
  return process.getuid === undefined || found.uid === process.getuid();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
