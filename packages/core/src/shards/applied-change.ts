import type { ShardId, ShardPosition } from '@memgrid/protocol';
import { versionOf } from './entry-view.ts';
import type { AppliedRecord } from './shard-copy.ts';
import type { AppliedChange } from './shards-io.ts';

const NOTHING = new Uint8Array();

/** What watches and near caches are told about a record that took effect. */
export function appliedChange(shard: ShardId, record: AppliedRecord): AppliedChange {
  const { at, body, winner } = record;
  if (body.kind !== 'write' || winner === undefined) return unknownChange(shard, at);
  const { epoch, index } = at;
  const { kind, entry } = winner.value;
  return { shard, epoch, index, key: body.key, kind, version: versionOf(winner), entry };
}

/** Of no entry; after a hole in the indexes it says that others have changed. */
export function unknownChange(shard: ShardId, { epoch, index }: ShardPosition): AppliedChange {
  return { shard, epoch, index, key: '', kind: 'none', version: undefined, entry: NOTHING };
}
