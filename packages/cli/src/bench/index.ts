export { benchDataset } from './bench-dataset.ts';
export type { BenchDatasetOptions } from './bench-dataset.ts';
export { benchReport } from './bench-report.ts';
export type { BenchReport, BenchReportParts, MissingSubject } from './bench-report.ts';
export { LOAD_LIMITS } from './check-load.ts';
export { closedLoop } from './closed-loop.ts';
export { BATCH_ENTRIES, DATASET_SIZES, SCOPE_ENTRIES } from './dataset.ts';
export type { BenchEntry, Dataset, DatasetSize } from './dataset.ts';
export type {
  ClosedLoopOptions,
  LoadOptions,
  LoadProgress,
  OpenLoopOptions,
} from './load-options.ts';
export type { Failure, LatencyMs, LoadEnd, LoadResult, WatchResult } from './load-result.ts';
export { markdownReport, markdownTable } from './markdown-report.ts';
export { measuredOn, memgridVersion } from './measured-on.ts';
export type { MeasuredOn } from './measured-on.ts';
export { MemgridSubject } from './memgrid-subject.ts';
export type { MemgridSubjectOptions, SubjectSession } from './memgrid-subject.ts';
export { openLoop } from './open-loop.ts';
export { isRateHeld } from './rate-held.ts';
export { runRounds } from './rounds.ts';
export type { BenchRow, LoadPlan, RoundsOptions, RoundsProgress } from './rounds.ts';
export { numbersOf } from './row-numbers.ts';
export type { RowNumbers, WatchNumbers } from './row-numbers.ts';
export { storeDataset } from './store-dataset.ts';
export type { StoreDatasetOptions } from './store-dataset.ts';
export { WORKLOADS } from './subject.ts';
export type { BenchOperation, OpenWatch, Subject, Watcher, WorkloadName } from './subject.ts';
export { svgPlot } from './svg-plot.ts';
export { escaped } from './svg-shapes.ts';
