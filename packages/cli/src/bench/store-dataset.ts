import type { Dataset } from './dataset.ts';
import { inParallel } from './in-parallel.ts';
import type { Subject } from './subject.ts';

export interface StoreDatasetOptions {
  readonly signal?: AbortSignal;
  /** Told after each entry. */
  readonly progress?: (stored: number) => void;
}

const IN_PARALLEL = 128;

/**
 * Stores every entry once, so that whatever is read afterwards is there.
 *
 * @throws what the subject rejects with; the signal's reason when that is aborted.
 */
export async function storeDataset(
  subject: Subject,
  dataset: Dataset,
  { signal, progress }: StoreDatasetOptions = {},
): Promise<void> {
  let stored = 0;
  await inParallel(dataset.count, IN_PARALLEL, async (n) => {
    signal?.throwIfAborted();
    await subject.run({ kind: 'set', n });
    stored += 1;
    progress?.(stored);
  });
}
