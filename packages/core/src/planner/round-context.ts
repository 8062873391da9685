import type { ShardConfig, ShardReplicas } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import type { Census } from './census.ts';
import type { PrimaryTally } from './primary-tally.ts';
import type { ReportBook } from './report-book.ts';
import type { ShardTracks } from './shard-tracks.ts';

/** What every decision of one round looks at. */
export interface RoundContext {
  readonly now: Instant;
  readonly census: Census;
  readonly reports: ReportBook;
  readonly tracks: ShardTracks;
  readonly tally: PrimaryTally;
  readonly configs: readonly ShardConfig[];
  /** Undefined: there is no plan yet, so nothing begins to move. */
  readonly target: readonly ShardReplicas[] | undefined;
}
