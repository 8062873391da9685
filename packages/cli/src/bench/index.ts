export { BATCH_ENTRIES, DATASET_SIZES, SCOPE_ENTRIES } from './dataset.ts';
export type { BenchEntry, Dataset, DatasetSize } from './dataset.ts';
export type {
  ClosedLoopOptions,
  LoadOptions,
  LoadProgress,
  OpenLoopOptions,
} from './load-options.ts';
export type { Failure, LatencyMs, LoadEnd, LoadResult, WatchResult } from './load-result.ts';
export { WORKLOADS } from './subject.ts';
export type { BenchOperation, OpenWatch, Subject, Watcher, WorkloadName } from './subject.ts';
