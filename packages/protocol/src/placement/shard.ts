import { type ShardId, shardId } from '../ids.ts';
import { hash64 } from './hash.ts';

/** What decides where an entry lives. Validated text: none of it holds NUL. */
export interface ShardAddress {
  /** The tenant. */
  readonly namespace: string;
  readonly userId?: string;
  readonly agentId?: string;
  readonly key: string;
}

/** Fewer shards make moves coarse. */
export const SHARD_COUNT_MIN = 1024;
/** More shards cost epochs, logs and trees for no better balance; enough above 64 nodes. */
export const SHARD_COUNT_MAX = 4096;

/**
 * What an entry's shard is computed from: entries with equal shard keys share a shard, and so can
 * be written together without a transaction.
 *
 * 1. The text between the first `{` of the key and the next `}`, when there is any between them:
 *    the writer wants these keys together (the rule of Redis Cluster's hash tags).
 * 2. Otherwise the namespace, user and agent, so that one person's memories live together whatever
 *    the application or the run.
 * 3. Otherwise, for an entry of nobody in particular, the namespace and the key.
 */
export function shardKeyOf(address: ShardAddress): string {
  const { namespace, userId = '', agentId = '', key } = address;
  const tag = tagOf(key);
  if (tag !== '') return tag;
  // NUL is in no part, so different parts never become the same text.
  if (userId !== '' || agentId !== '') return `${namespace}\0${userId}\0${agentId}`;
  return `${namespace}\0${key}`;
}

function tagOf(key: string): string {
  const open = key.indexOf('{');
  if (open < 0) return '';
  const close = key.indexOf('}', open + 1);
  return close < 0 ? '' : key.slice(open + 1, close);
}

/**
 * The shard of a shard key: the top bits of its 64-bit hash. Doubling the count therefore splits
 * every shard in two and mixes none.
 *
 * @throws RangeError unless `shardCount` is a power of two from 1,024 to 4,096 and `shardKey` has
 * a UTF-8 form.
 */
export function shardOf(shardKey: string, shardCount: number): ShardId {
  requireShardCount(shardCount);
  // The count is at most 2^12, so the upper lane has all bits that are needed.
  return shardId(hash64(shardKey).high >>> (Math.clz32(shardCount) + 1), shardCount);
}

/** @throws RangeError unless `shardCount` is a power of two from 1,024 to 4,096. */
export function requireShardCount(shardCount: number): void {
  const isPowerOfTwo = Number.isInteger(shardCount) && (shardCount & (shardCount - 1)) === 0;
  if (!isPowerOfTwo || shardCount < SHARD_COUNT_MIN || shardCount > SHARD_COUNT_MAX) {
    throw new RangeError(
      `Invalid shard count ${shardCount}: expected a power of two from ${SHARD_COUNT_MIN} to ${SHARD_COUNT_MAX}.`,
    );
  }
}
