import { invariant } from '../assert.ts';
import type { StoredEntry } from './entry-table.ts';

/** How an entry lies on disk: one byte for the format, the position, the state. */
const FORMAT = 1;
const EPOCH_AT = 1;
const INDEX_HIGH_AT = 5;
const INDEX_LOW_AT = 9;
const STATE_AT = 13;
const TWO_32 = 2 ** 32;

/** The value of an entry's disk key. The inverse of `decodeStoredEntry`. */
export function encodeStoredEntry(entry: StoredEntry): Uint8Array {
  const bytes = new Uint8Array(storedEntryBytes(entry));
  writeStoredEntry(entry, bytes, 0);
  return bytes;
}

/** Bytes of `encodeStoredEntry`. */
export function storedEntryBytes({ state }: StoredEntry): number {
  return STATE_AT + state.byteLength;
}

/**
 * Writes what `encodeStoredEntry` returns into `bytes` from `from` on: memory for many entries at
 * once costs little more than memory for one.
 */
export function writeStoredEntry(
  { at, state }: StoredEntry,
  bytes: Uint8Array,
  from: number,
): void {
  if (at.epoch >= TWO_32) invariant(false, `Epoch ${at.epoch} does not fit into 32 bits.`);
  bytes[from] = FORMAT;
  writeWord(bytes, from + EPOCH_AT, at.epoch);
  writeWord(bytes, from + INDEX_HIGH_AT, Math.floor(at.index / TWO_32));
  writeWord(bytes, from + INDEX_LOW_AT, at.index);
  bytes.set(state, from + STATE_AT);
}

/** 32 bits, the highest first. Without a view, which would be one more object for every entry. */
function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

/**
 * The entry in the value of an entry's disk key; undefined when the bytes are none, though their
 * checksum matched: a later version wrote them. The state is a view of `bytes`.
 */
export function decodeStoredEntry(bytes: Uint8Array): StoredEntry | undefined {
  if (bytes.byteLength < STATE_AT || bytes[0] !== FORMAT) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const index = view.getUint32(INDEX_HIGH_AT) * TWO_32 + view.getUint32(INDEX_LOW_AT);
  return { at: { epoch: view.getUint32(EPOCH_AT), index }, state: bytes.subarray(STATE_AT) };
}
