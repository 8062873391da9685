import type { Dataset, Subject, WorkloadName } from 'memgrid/bench';

/** A subject that keeps some workloads' data in a form of their own. */
export interface PeerSubject extends Subject {
  /** Stores what this workload reads, where that is not what `set` stores. Not measured. */
  prepare(workload: WorkloadName): Promise<void>;
}

const CONCURRENT = 64;

/** Calls `store` for the number of every entry, several at a time. */
export async function forEveryEntry(
  dataset: Dataset,
  store: (n: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < dataset.count) {
      next += 1;
      await store(next - 1);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
}

/** A get that finds nothing says so: nobody measures misses. */
export function missing(key: string): Error {
  return new Error(`There is no ${key}.`);
}
