import { decodeValue, encodeValue } from '../codec.ts';
import type { ShardId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import type { Scope } from '../messages/operations.ts';
import { hash64 } from '../placement/hash.ts';
import { shardIdField } from '../wire/counters.ts';
import { uint } from '../wire/field.ts';
import { name } from '../wire/name-field.ts';
import { struct } from '../wire/struct.ts';
import { WireError } from '../wire/wire-error.ts';
import { readOpaque, writeOpaque } from './opaque-text.ts';

/** Where the next page of a list begins. */
export interface ListPlace {
  /** The shard that is being listed; those before it are done. */
  readonly shard: ShardId;
  /** The last key of the page before in that shard; '' at its beginning. */
  readonly after: string;
}

export type CursorRead =
  | { readonly kind: 'place'; readonly place: ListPlace }
  /** For `BAD_CURSOR`: a sentence. */
  | { readonly kind: 'invalid'; readonly problem: string };

interface Cursor extends ListPlace {
  readonly scopeHigh: number;
  readonly scopeLow: number;
}

const lane = uint(0xffffffff);

const cursorField = struct<Cursor>({
  scopeHigh: lane,
  scopeLow: lane,
  shard: shardIdField,
  after: name(0, LIMITS.entryIdBytesMax),
});

/** A cursor is good for its own list only: in another one it would skip entries without a word. */
export function encodeCursor(scope: Scope, { shard, after }: ListPlace): string {
  const { high, low } = hash64(scopeText(scope));
  const cursor: Cursor = { scopeHigh: high, scopeLow: low, shard, after };
  return writeOpaque('cursor', encodeValue(cursorField, cursor));
}

/** Never throws, whatever the text. */
export function decodeCursor(scope: Scope, text: string): CursorRead {
  const read = readOpaque('cursor', text);
  if (read.kind === 'invalid') return invalid(`${read.problem}.`);
  const cursor = cursorOf(read.bytes);
  if (cursor instanceof WireError) return invalid(cursor.message);
  const { high, low } = hash64(scopeText(scope));
  if (cursor.scopeHigh !== high || cursor.scopeLow !== low) {
    return invalid('it belongs to a list of another scope.');
  }
  return { kind: 'place', place: { shard: cursor.shard, after: cursor.after } };
}

function cursorOf(bytes: Uint8Array): Cursor | WireError {
  try {
    return decodeValue(cursorField, bytes, 'cursor');
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

function invalid(problem: string): CursorRead {
  return { kind: 'invalid', problem };
}

function scopeText({ namespace, userId, agentId, appId, runId }: Scope): string {
  return [namespace, userId, agentId, appId, runId].join('\0');
}
