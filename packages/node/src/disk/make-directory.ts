import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a directory and what is missing above it, for this user only; fine when it is there.
 *
 * Not `mkdir(…, { recursive: true })`: where the system answers ENOENT below a directory that does
 * exist (`/proc`, some network file systems) Node tries again for ever, with a whole processor.
 *
 * @throws what the system answers: EACCES, ENOTDIR, ENOENT, …
 */
export async function makeDirectory(directory: string): Promise<void> {
  const missing: string[] = [];
  let above = path.resolve(directory);
  while (!(await exists(above))) {
    missing.push(above);
    above = path.dirname(above);
  }
  for (const one of missing.reverse()) {
    await mkdir(one, { mode: 0o700 }).catch((error: unknown) => {
      // Another process on this machine made it a moment ago.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

async function exists(at: string): Promise<boolean> {
  try {
    await stat(at);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
