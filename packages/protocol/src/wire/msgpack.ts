import { Packr, RESET_BUFFER_MODE, Unpackr } from 'msgpackr';
import { guard } from './guard.ts';
import { expected, WireError } from './wire-error.ts';

/** What a wire value may be made of; see `guard` for why nothing else. */
export type WireValue = null | boolean | number | string | Uint8Array | readonly WireValue[];

// Records (msgpackr's shared structures) depend on the state of a connection; stored and golden
// bytes must not.
const packr = new Packr({ useRecords: false, moreTypes: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, moreTypes: false, mapsAsObjects: false });

/** One value to bytes of its own. */
export function pack(value: WireValue): Uint8Array {
  // The library writes into a buffer that it keeps and that grows with the largest message; a
  // copy keeps a stored record of 40 bytes from holding on to megabytes.
  return new Uint8Array(packr.pack(value, RESET_BUFFER_MODE));
}

/**
 * One value from all of `bytes`. Byte strings in it are views: copy what is kept.
 *
 * @throws WireError for anything that is not exactly one wire value within the limits.
 */
export function unpack(bytes: Uint8Array, bytesMax: number): WireValue {
  if (!(bytes instanceof Uint8Array)) throw expected('bytes', bytes);
  if (bytes.length > bytesMax) throw expected(`at most ${bytesMax} bytes`, bytes);
  guard(bytes);
  // The library leaves a property on what it reads: give it a view of its own.
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    return unpackr.unpack(view) as WireValue;
  } catch (error) {
    // The guard leaves it nothing to refuse, but a stranger's bytes must not be what proves it.
    throw new WireError(`expected a value that the decoder accepts, got: ${String(error)}.`);
  }
}

/** The length of a header or of a whole number when encoded, in bytes. */
export function listHeaderBytes(count: number): number {
  return count < 16 ? 1 : count < 0x10000 ? 3 : 5;
}

export function textHeaderBytes(length: number): number {
  return length < 32 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
}

export function bytesHeaderBytes(length: number): number {
  return length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
}

export function numberBytes(value: number): number {
  if (!Number.isInteger(value)) return 9;
  if (value >= 0) {
    return value < 0x80 ? 1 : value < 0x100 ? 2 : value < 0x10000 ? 3 : value <= 0xffffffff ? 5 : 9;
  }
  return value >= -0x20
    ? 1
    : value >= -0x80
      ? 2
      : value >= -0x8000
        ? 3
        : value >= -0x80000000
          ? 5
          : 9;
}
