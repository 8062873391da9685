import { shardOfEntry, shardOfId, shardOfScope } from '@memgrid/protocol';
import type { ShardId } from '@memgrid/protocol';
import type { Call } from './session-io.ts';

/** The shard that a call is about; undefined when nothing that was given says it. */
export function shardOfCall(call: Call, shardCount: number): ShardId | undefined {
  if (call.shard !== undefined) return call.shard;
  const { body, scope } = call;
  if (body.kind === 'list') return shardOfScope(body.scope, shardCount);
  if (scope !== undefined) return shardOfEntry({ ...scope, key: body.key }, shardCount);
  return shardOfId(body.key, shardCount);
}
