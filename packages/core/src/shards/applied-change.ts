import type { ShardId, ShardPosition } from '@memgrid/protocol';
import { versionOf } from './entry-view.ts';
import type { AppliedRecord } from './shard-copy.ts';
import type { AppliedChange } from './shards-io.ts';

const NOTHING = new Uint8Array();

/** What watches and near caches are told about a record that took effect. */
export function appliedChange(shard: ShardId, record: AppliedRecord): AppliedChange {
  const { at, body, winner } = record;
  const { epoch, index } = at;
  if (body.kind !== 'write' || winner === undefined) {
    return { shard, epoch, index, key: '', kind: 'none', version: undefined, entry: NOTHING };
  }
  const { kind, entry } = winner.value;
  return { shard, epoch, index, key: body.key, kind, version: versionOf(winner), entry };
}

/** A stream has brought this replica to `at`: nobody here saw how. */
export function unknownChange(shard: ShardId, { epoch, index }: ShardPosition): AppliedChange {
  return { shard, epoch, index, key: '', kind: 'unknown', version: undefined, entry: NOTHING };
}
