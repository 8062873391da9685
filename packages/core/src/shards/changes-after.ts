import { winnerIn } from './entry-view.ts';
import { appliedChange } from './applied-change.ts';
import type { LoggedRecord } from './logged-record.ts';
import type { ShardCopy } from './shard-copy.ts';
import type { AppliedChange } from './shards-io.ts';

/**
 * What took effect after `index`, without a hole and up to what is applied now: the latest `countMax`
 * at most, and only as far back as the log goes.
 */
export function changesAfter(
  copy: ShardCopy,
  index: number,
  countMax: number,
): readonly AppliedChange[] {
  const { shard, log, applied } = copy;
  const changes: AppliedChange[] = [];
  const from = Math.max(index, log.base.index, applied.index - countMax);
  for (let next = from + 1; next <= applied.index; next += 1) {
    const logged = log.at(next) as LoggedRecord;
    const body = logged.read();
    const winner = body.kind === 'write' ? winnerIn(body.state) : undefined;
    changes.push(appliedChange(shard, { at: { epoch: logged.epoch, index: next }, body, winner }));
  }
  return changes;
}
