import { SHARD_COUNT_MAX, shardOfSlice } from '../placement/shard.ts';
import type { ShardId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { hasControlCharacter } from '../wire/name-field.ts';
import { utf8Bytes } from '../wire/utf8.ts';
import { type RandomBits, timeUuid, uuidBits, uuidVersion } from './uuid.ts';

/**
 * The id of a new entry: a UUID of version 8 that carries where the entry is, so that whoever has
 * the id alone can find the entry without asking around.
 *
 * It carries the slice of the hash and not the shard, so it is right in a cluster with any number
 * of shards, and an entry can be exported from one and imported into another.
 *
 * @param slice `sliceOf` the entry's shard key; a random one for an entry without an owner.
 * @throws RangeError for a time or slice out of range.
 */
export function makeEntryId(ms: number, slice: number, random: RandomBits): string {
  return timeUuid(8, ms, { bits: slice, random });
}

/**
 * The id of the entry that a write without one makes: the id of its operation, with another version
 * and the entry's slice in it. So whoever asks again with the same operation means the same entry.
 *
 * @param operationId a UUID of version 7.
 * @param slice `sliceOf` the entry's shard key; undefined for an entry without an owner, which is
 *   wherever the 12 bits of the operation's id say.
 * @throws RangeError for any other operation id.
 */
export function entryIdOfOperation(operationId: string, slice: number | undefined): string {
  if (uuidVersion(operationId) !== 7) {
    throw new RangeError(`Invalid operation id "${operationId}": expected a UUID of version 7.`);
  }
  const bits = slice ?? uuidBits(operationId);
  const place = bits.toString(16).padStart(3, '0');
  return `${operationId.slice(0, 14)}8${place}${operationId.slice(18)}`;
}

/** The slice in an id of memgrid's own; undefined for an id that a caller chose. */
export function sliceOfId(id: string): number | undefined {
  return uuidVersion(id) === 8 ? uuidBits(id) : undefined;
}

/**
 * The shard in an id of memgrid's own; undefined for an id that a caller chose: the scope says it.
 *
 * @throws RangeError unless `shardCount` is a power of two from 8 to 4,096.
 */
export function shardOfId(id: string, shardCount: number): ShardId | undefined {
  const slice = sliceOfId(id);
  return slice === undefined ? undefined : shardOfSlice(slice, shardCount);
}

/**
 * What is wrong with an entry's id, or undefined. A caller may choose any text from 1 to 128 bytes
 * without control characters.
 */
export function entryIdProblem(id: unknown): string | undefined {
  if (typeof id !== 'string') return 'expected text';
  if (id === '') return 'expected at least one character';
  const bytes = utf8Bytes(id);
  if (bytes < 0) return 'expected well-formed text, got half of a surrogate pair';
  if (bytes > LIMITS.entryIdBytesMax) {
    return `expected at most ${LIMITS.entryIdBytesMax} bytes, got ${bytes}`;
  }
  if (hasControlCharacter(id)) return 'expected no control characters';
  if (id.startsWith('\ufeff')) return 'expected no byte order mark';
  return undefined;
}

/** As many values as an id's slice can have. */
export const SLICE_COUNT: number = SHARD_COUNT_MAX;
