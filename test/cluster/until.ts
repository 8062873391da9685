import { setTimeout as wait } from 'node:timers/promises';

/** Far above what any condition takes: a test fails by it, and never passes by it. */
const DEADLINE_MS = 40_000;
const POLL_MS = 50;

/**
 * Asks again and again until the answer is something, and returns it.
 *
 * @throws Error after 40 s, with what was waited for.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) {
      throw new Error(`Waited ${DEADLINE_MS} ms in vain: ${what}.`);
    }
    await wait(POLL_MS);
  }
}

/** Whether a process with this id exists. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
