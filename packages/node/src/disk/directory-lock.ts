import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import process from 'node:process';

const OWNER_FILE = 'memgrid.pid';

/** Who uses a data directory, for a message. The lock itself is LevelDB's. */
export interface DirectoryOwner {
  readonly pid: number;
  readonly host: string;
  readonly startedAt: string;
}

/**
 * Leaves a note for whoever finds the directory locked.
 *
 * Only a note: a process that was killed leaves it behind, so it never decides anything. What
 * decides is the lock that the operating system holds on LevelDB's `LOCK` file and takes back
 * when the process ends, however it ends.
 */
export function noteOwner(directory: string): void {
  const owner: DirectoryOwner = {
    pid: process.pid,
    host: hostname(),
    startedAt: new Date().toISOString(),
  };
  writeFileSync(path.join(directory, OWNER_FILE), `${JSON.stringify(owner)}\n`, { mode: 0o644 });
}

export function forgetOwner(directory: string): void {
  rmSync(path.join(directory, OWNER_FILE), { force: true });
}

/** The note of the present owner; undefined when there is none or it can not be read. */
export function ownerOf(directory: string): DirectoryOwner | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(path.join(directory, OWNER_FILE), 'utf8'));
    return isOwner(note) ? note : undefined;
  } catch {
    // Half written, or not there yet: the message then simply does not name the process.
    return undefined;
  }
}

function isOwner(note: unknown): note is DirectoryOwner {
  if (typeof note !== 'object' || note === null) return false;
  const { pid, host, startedAt } = note as Partial<Record<keyof DirectoryOwner, unknown>>;
  return typeof pid === 'number' && typeof host === 'string' && typeof startedAt === 'string';
}
