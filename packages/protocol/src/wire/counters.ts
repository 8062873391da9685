import type { Generation, GroupEpoch, Incarnation, LogIndex, ShardId, Term } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { uint } from './field.ts';

// Counters that never come down; 2^53 - 1 of anything is more than a cluster lives to see.
export const generationField = uint<Generation>();
export const incarnationField = uint<Incarnation>();
export const termField = uint<Term>();
export const logIndexField = uint<LogIndex>();
export const groupEpochField = uint<GroupEpoch>();

/** Any other count: exchanges, probes, requests, offsets. */
export const countField = uint();

/** A random number that names one process start: 53 bits. */
export const instanceField = uint();

export const protocolVersionField = uint(0xffff);

/** Below the largest shard count. The cluster's own count is checked where it is known. */
export const shardIdField = uint<ShardId>(LIMITS.shardsMax - 1);
