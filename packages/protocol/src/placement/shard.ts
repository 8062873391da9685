import { type ShardId, shardId } from '../ids.ts';
import { hash64 } from './hash.ts';

/** What decides where an entry lives. Validated text: none of it holds NUL. */
export interface ShardAddress {
  /** The tenant. */
  readonly namespace: string;
  readonly userId?: string;
  readonly agentId?: string;
  readonly appId?: string;
  readonly runId?: string;
  /** The entry's id. */
  readonly key: string;
}

/** Fewer make moves coarse: small counts are for tests and laptops. */
export const SHARD_COUNT_MIN = 8;
/** More shards cost epochs, logs and trees for no better balance; enough above 64 nodes. */
export const SHARD_COUNT_MAX = 4096;
/** Of a cluster that was not told otherwise when it was created. */
export const SHARD_COUNT_DEFAULT = 1024;

/**
 * What an entry's shard is computed from: entries with equal shard keys share a shard, and so can
 * be written together without a transaction and listed by asking one shard.
 *
 * The owner is the first of user, agent, application and run that is there.
 *
 * 1. The text between the first `{` of the owner's id and the next `}`, when there is any between
 *    them: the writer wants these owners together (the rule of Redis Cluster's hash tags).
 * 2. Otherwise the namespace and the owner, so that one person's memories live together whatever
 *    the agent, the application or the run.
 * 3. Otherwise, for an entry of nobody in particular, the namespace and the entry's id.
 */
export function shardKeyOf(address: ShardAddress): string {
  const { namespace, userId = '', agentId = '', appId = '', runId = '', key } = address;
  if (userId !== '') return ownerKey(namespace, 'u', userId);
  if (agentId !== '') return ownerKey(namespace, 'a', agentId);
  if (appId !== '') return ownerKey(namespace, 'p', appId);
  if (runId !== '') return ownerKey(namespace, 'r', runId);
  return `${namespace}\0${key}`;
}

/** The kind is part of it: user "x" and agent "x" have nothing to do with each other. */
function ownerKey(namespace: string, kind: 'u' | 'a' | 'p' | 'r', owner: string): string {
  const tag = tagOf(owner);
  // NUL is in no part, so different parts never become the same text.
  return tag === '' ? `${namespace}\0${kind}\0${owner}` : tag;
}

function tagOf(owner: string): string {
  const open = owner.indexOf('{');
  if (open < 0) return '';
  const close = owner.indexOf('}', open + 1);
  return close < 0 ? '' : owner.slice(open + 1, close);
}

/**
 * The shard of a shard key: the top bits of its 64-bit hash. Doubling the count therefore splits
 * every shard in two and mixes none.
 *
 * @throws RangeError unless `shardCount` is a power of two from 8 to 4,096 and `shardKey` has a
 * UTF-8 form.
 */
export function shardOf(shardKey: string, shardCount: number): ShardId {
  return shardOfSlice(sliceOf(shardKey), shardCount);
}

/**
 * The twelve top bits of the hash: the shard if there were as many shards as there can be. It is
 * what an entry's id carries, so that an id keeps its meaning in a cluster with another count.
 *
 * @throws RangeError when `shardKey` has no UTF-8 form.
 */
export function sliceOf(shardKey: string): number {
  return hash64(shardKey).high >>> (Math.clz32(SHARD_COUNT_MAX) + 1);
}

/** @throws RangeError unless `shardCount` is a power of two from 8 to 4,096. */
export function shardOfSlice(slice: number, shardCount: number): ShardId {
  requireShardCount(shardCount);
  return shardId(slice >>> (Math.clz32(shardCount) - Math.clz32(SHARD_COUNT_MAX)), shardCount);
}

/** @throws RangeError unless `shardCount` is a power of two from 8 to 4,096. */
export function requireShardCount(shardCount: number): void {
  const isPowerOfTwo = Number.isInteger(shardCount) && (shardCount & (shardCount - 1)) === 0;
  if (!isPowerOfTwo || shardCount < SHARD_COUNT_MIN || shardCount > SHARD_COUNT_MAX) {
    throw new RangeError(
      `Invalid shard count ${shardCount}: expected a power of two from ${SHARD_COUNT_MIN} to ${SHARD_COUNT_MAX}.`,
    );
  }
}
