import type { Namespace } from '@memgrid/client';
import { concurrently } from '../import/concurrently.ts';

const PAGE_ENTRIES = 1_000;
/** Deletes under way at the same time. */
const CONCURRENCY = 64;

/**
 * Deletes the entries of one run, and of no other: their ids begin with the run's.
 *
 * @throws ClusterError as soon as one cannot be deleted; the signal's reason when that is aborted.
 */
export async function deleteEntries(
  entries: Namespace,
  runId: string,
  signal: AbortSignal,
): Promise<void> {
  const found = entriesOf(entries, runId, signal);
  const deleted = concurrently(found, CONCURRENCY, async (ref) => {
    try {
      await entries.delete(ref, { signal });
      return undefined;
    } catch (error) {
      return { error };
    }
  });
  for await (const failed of deleted) if (failed !== undefined) throw failed.error;
}

async function* entriesOf(entries: Namespace, runId: string, signal: AbortSignal) {
  let cursor: string | undefined;
  do {
    const settings = { read: 'strong', limit: PAGE_ENTRIES, signal } as const;
    const page = await entries.list({}, cursor === undefined ? settings : { ...settings, cursor });
    for (const { entry } of page.items) {
      const { id, userId } = entry;
      if (id.startsWith(runId)) yield userId === undefined ? { id } : { id, userId };
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}
