import { LIMITS } from '@memgrid/protocol';
import type { ShardsConfig, ShardsOptionsOverride } from './shards-io.ts';

/** What a cluster on one local network wants. Each number with its reason. */
export const SHARDS_DEFAULTS: ShardsConfig = {
  /** Far above a round trip with a slow sync, far below a client's patience of three seconds. */
  retryMs: 400,
  /** Long enough that the next write usually carries the commit, short for readers of replicas. */
  commitDelayMs: 20,
  /** As many as a message may hold; 512 KiB of bodies usually end it earlier. */
  messageRecordsMax: LIMITS.recordsMax,
  /** A replica that was away for less than this many writes catches up without a stream. */
  logRecordsMax: 4096,
  /**
   * All logs of a node: some 45,000 records of 300 bytes. Each is four objects that the collector has
   * to mark: with twice as much (and feeds' changes), a busy node of a million entries took 1.23 GB
   * in place of 1.04 and stood still for half a second now and then (`bench entries-1m`).
   */
  logBytesMax: 32 * 1024 * 1024,
  /** Longer than any caller goes on asking for the outcome of one write. */
  operationWindowMs: 10 * 60_000,
  /** 640,000 outcomes, so ten minutes of 1,100 writes a second. */
  operationBytesMax: 64 * 1024 * 1024,
  /** A replica that is silent for this long has been replaced, so nobody brings the key back. */
  collectAfterMs: 10 * 60_000,
  /** Reports are repeated this often, for a coordinator that has just been elected. */
  reportMs: 5_000,
  streamChunkEntries: 256,
  streamChunkBytes: 256 * 1024,
  /** Chunks under way: one on the wire, one in the disk, and one each way in reserve. */
  streamCredit: 4,
  /** Of one node, all its streams together: an eighth of a gigabit link. */
  streamBytesPerSecond: 16 * 1024 * 1024,
  /** Streams that a node serves at once: 16 MiB of chunks under way. */
  streamsMax: 16,
  /** A crash wastes at most so many counters of 2^53. */
  dotLease: 10_000,
  waitingOperationsMax: 10_000,
  waitingBytesMax: 32 * 1024 * 1024,
};

/**
 * The defaults with what an installation changes.
 *
 * @throws RangeError naming every value that is not a positive whole number.
 */
export function shardsConfig(override: ShardsOptionsOverride = {}): ShardsConfig {
  const config = { ...SHARDS_DEFAULTS, ...override };
  const problems = Object.entries(config)
    .filter(([, value]) => !Number.isSafeInteger(value) || value <= 0)
    .map(([name, value]) => `${name} (${value}) must be a whole number from 1.`);
  if (problems.length > 0) throw new RangeError(problems.join(' '));
  return config;
}
