import type { ShardId } from '../ids.ts';
import type { Scope } from '../messages/operations.ts';
import {
  type ShardAddress,
  shardKeyOf,
  shardOf,
  shardOfSlice,
  sliceOf,
} from '../placement/shard.ts';
import { sliceOfId } from './entry-id.ts';

/**
 * Where an entry lives, from all that is known when it is written.
 *
 * The owner decides. An entry without an owner lives where its id says when that is one of
 * memgrid's own, and otherwise where the id hashes to.
 */
export function sliceOfEntry(address: ShardAddress): number {
  const carried = hasOwner(address) ? undefined : sliceOfId(address.key);
  return carried ?? sliceOf(shardKeyOf(address));
}

/**
 * The same as a shard.
 *
 * @throws RangeError unless `shardCount` is a power of two from 8 to 4,096.
 */
export function shardOfEntry(address: ShardAddress, shardCount: number): ShardId {
  return shardOfSlice(sliceOfEntry(address), shardCount);
}

/**
 * An id that carries another place than the owner's would be looked for where the entry is not, so
 * such an id is refused when the entry is written. Nobody chooses one by accident except by taking
 * a UUID of version 8 from elsewhere, or the id of somebody else's entry.
 */
export function idContradictsOwner(address: ShardAddress): boolean {
  const carried = sliceOfId(address.key);
  return carried !== undefined && carried !== sliceOfEntry(address);
}

/**
 * The one shard that has all entries of a scope, or undefined when they may be in any.
 *
 * Only users are first among owners: the entries of an agent are with their users where they have
 * one. The same holds for applications and runs.
 *
 * @throws RangeError unless `shardCount` is a power of two from 8 to 4,096.
 */
export function shardOfScope(scope: Scope, shardCount: number): ShardId | undefined {
  return scope.userId === '' ? undefined : shardOf(shardKeyOf({ ...scope, key: '' }), shardCount);
}

function hasOwner({ userId = '', agentId = '', appId = '', runId = '' }: ShardAddress): boolean {
  return userId !== '' || agentId !== '' || appId !== '' || runId !== '';
}
