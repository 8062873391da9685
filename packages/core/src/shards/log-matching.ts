import type { LogRecord, ShardPosition } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { ShardCopy } from './shard-copy.ts';
import type { LoggedRecord } from './logged-record.ts';
import type { ShardLog } from './shard-log.ts';

/** What became of records that somebody sent. */
export type Matching =
  /** The log is that of the sender up to `upTo`. `cut` had to give way. */
  | { readonly kind: 'matched'; readonly upTo: number; readonly cut: readonly LoggedRecord[] }
  /** Try again from `hint`, which may match. */
  | { readonly kind: 'mismatch'; readonly hint: number }
  /**
   * A record that is committed here is not in the sender's log: a majority lost it, which only
   * the classes `memory` and `os` allow. This copy is of no use any more.
   */
  | { readonly kind: 'diverged' };

/**
 * Appends records after `previous`, if the log up to there is that of the sender: then, by
 * induction, everything before it is as well (Raft's log matching). See DESIGN.md, F4.
 */
export function matchRecords(
  copy: ShardCopy,
  previous: ShardPosition,
  records: readonly LogRecord[],
): Matching {
  const { log } = copy;
  if (previous.index > log.lastIndex) return { kind: 'mismatch', hint: log.lastIndex };
  const known = log.epochAt(previous.index);
  // Before the base everything is committed, and so the same for everybody.
  if (known !== undefined && known !== previous.epoch && !broken('shards.log-matching')) {
    if (previous.index <= copy.commit) return { kind: 'diverged' };
    return { kind: 'mismatch', hint: Math.max(copy.commit, runStart(copy, previous.index) - 1) };
  }
  const sent = previous.index + records.length;
  const fresh = freshPlace(log, records);
  if (fresh < 0) return { kind: 'matched', upTo: Math.max(sent, copy.commit), cut: [] };
  const at = (records[fresh] as LogRecord).index;
  if (at <= copy.commit) return { kind: 'diverged' };
  const cut = copy.cutAfter(at - 1);
  copy.append(fresh === 0 ? records : records.slice(fresh));
  return { kind: 'matched', upTo: sent, cut };
}

/** Where the records begin that this log does not have; -1 when it has them all. */
function freshPlace(log: ShardLog, records: readonly LogRecord[]): number {
  const { base, lastIndex } = log;
  for (let at = 0; at < records.length; at += 1) {
    const { index, epoch } = records[at] as LogRecord;
    // Mostly they all follow the last one here.
    if (index > lastIndex) return at;
    if (index > base.index && log.epochAt(index) !== epoch) return at;
  }
  return -1;
}

/** The first index of the run of records that have the same epoch as the one at `index`. */
function runStart({ log }: ShardCopy, index: number): number {
  const epoch = log.epochAt(index);
  let start = index;
  while (start - 1 > log.base.index && log.epochAt(start - 1) === epoch) start -= 1;
  return start;
}
