import { crc32 } from 'node:zlib';

/** What sealing adds to a value. */
export const TRAILER_BYTES = 4;

/**
 * The value with its checksum behind it. LevelDB checks its write-ahead log but, by default, not
 * the tables it makes of it, and a flipped bit in a vote or a log entry must not be believed.
 * The key takes part: a value found under another key is as wrong as a changed one.
 */
export function sealed(key: string, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(value.byteLength + TRAILER_BYTES);
  writeSealed(key, value, bytes);
  return bytes;
}

/** The same, into `bytes` that are long enough. */
export function writeSealed(key: string, value: Uint8Array, bytes: Uint8Array): void {
  const { byteLength } = value;
  bytes.set(value);
  const sum = checksum(key, value);
  // By hand: this sees every byte that is written, and a view is one more object each time.
  bytes[byteLength] = sum >>> 24;
  bytes[byteLength + 1] = sum >>> 16;
  bytes[byteLength + 2] = sum >>> 8;
  bytes[byteLength + 3] = sum;
}

/** The value as it was sealed; undefined when key, value and checksum do not belong together. */
export function unsealed(key: string, bytes: Uint8Array): Uint8Array | undefined {
  const view = unsealedView(key, bytes);
  return view?.slice();
}

/** The same without the copy, for whoever lets go of `bytes` at once. */
export function unsealedView(key: string, bytes: Uint8Array): Uint8Array | undefined {
  const length = bytes.byteLength - TRAILER_BYTES;
  if (length < 0) return undefined;
  // Never a Buffer, whose `slice` is a view: what core gets is what it says it is.
  const value = new Uint8Array(bytes.buffer, bytes.byteOffset, length);
  const stored = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(length);
  return stored === checksum(key, value) ? value : undefined;
}

function checksum(key: string, value: Uint8Array): number {
  return crc32(value, crc32(key));
}
