import { bytesHeaderBytes, numberBytes, textHeaderBytes } from './msgpack.ts';
import { readAscii } from './platform-text.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

/**
 * Reading and writing single values of an encoding where they lie, for the few structs that are
 * looked at far more often than they are decoded. Everything here knows one form of a value, the
 * one in which an encoder writes it; for any other there is the decoder.
 */

/** Not the one form of such a value. */
export const NOT_USUAL = -1;

const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);

/**
 * A whole number from 0 in its shortest form, or `NOT_USUAL`. It takes `numberBytes` bytes; what
 * lies behind the end of the bytes reads as nothing or as zeros, so compare that end at last.
 */
export function countAt(bytes: Uint8Array, at: number): number {
  const head = bytes[at] as number;
  if (head <= 0x7f) return head;
  if (head === 0xcb) return floatAt(bytes, at + 1);
  if (head === 0xcc) {
    const value = bytes[at + 1] as number;
    return value >= 0x80 ? value : NOT_USUAL;
  }
  if (head === 0xcd) {
    const value = ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    return value >= 0x100 ? value : NOT_USUAL;
  }
  if (head !== 0xce) return NOT_USUAL;
  const value = wordAt(bytes, at + 1);
  return value >= 0x10000 ? value : NOT_USUAL;
}

/** 32 bits, the highest first. */
function wordAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  const low = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  return high * 0x10000 + low;
}

/** The length of bytes, from their shortest head; `NOT_USUAL` for another. */
export function bytesLengthAt(bytes: Uint8Array, at: number): number {
  const head = bytes[at];
  if (head === 0xc4) return bytes[at + 1] ?? NOT_USUAL;
  if (head === 0xc5) {
    const length = ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    return length >= 0x100 ? length : NOT_USUAL;
  }
  if (head !== 0xc6) return NOT_USUAL;
  const length = wordAt(bytes, at + 1);
  return length >= 0x10000 ? length : NOT_USUAL;
}

function floatAt(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) floatBytes[i] = bytes[at + i] as number;
  const value = floatView.getFloat64(0);
  return Number.isSafeInteger(value) && value > 0xffffffff ? value : NOT_USUAL;
}

/** Writes a whole number from 0 in its shortest form. Where the next value begins. */
export function writeCount(bytes: Uint8Array, at: number, value: number): number {
  const length = numberBytes(value);
  if (length === 1) bytes[at] = value;
  else if (length === 9) {
    bytes[at] = 0xcb;
    floatView.setFloat64(0, value);
    for (let i = 0; i < 8; i++) bytes[at + 1 + i] = floatBytes[i] as number;
  } else {
    bytes[at] = length === 2 ? 0xcc : length === 3 ? 0xcd : 0xce;
    for (let i = 1; i < length; i++) bytes[at + i] = value >>> (8 * (length - 1 - i));
  }
  return at + length;
}

/** Writes the head of so many bytes. Where they begin. */
export function writeBytesHead(to: Uint8Array, at: number, length: number): number {
  return writeHead(to, at, { length, headBytes: bytesHeaderBytes(length), first: 0xc4 });
}

/** The first of three kinds of head: with one, two and four bytes of length. */
function writeHead(
  to: Uint8Array,
  at: number,
  { length, headBytes, first }: { length: number; headBytes: number; first: number },
): number {
  const width = headBytes - 1;
  to[at] = first + (width >> 1);
  for (let i = 1; i <= width; i++) to[at + i] = length >>> (8 * (width - i));
  return at + headBytes;
}

/** A text that is all ASCII, or the UTF-8 of another. */
export type TextUnits = string | Uint8Array;

/** A text as it is written: itself when it is ASCII. @throws RangeError for half a surrogate pair. */
export function unitsOf(text: string): TextUnits {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return encodeUtf8(text);
  return text;
}

/** How many bytes `writeText` writes. */
export function textBytesOf(units: TextUnits): number {
  return textHeaderBytes(units.length) + units.length;
}

/** Writes a text. Where the next value begins. */
export function writeText(to: Uint8Array, start: number, units: TextUnits): number {
  const { length } = units;
  let at = start;
  if (length < 32) to[at++] = 0xa0 | length;
  else at = writeHead(to, at, { length, headBytes: textHeaderBytes(length), first: 0xd9 });
  for (let i = 0; i < length; i++) {
    to[at + i] = typeof units === 'string' ? units.charCodeAt(i) : (units[i] as number);
  }
  return at + length;
}

/** How long the head of a text of at most 65,535 bytes is, if it is the shortest; else `NOT_USUAL`. */
export function textHeadBytes(bytes: Uint8Array, at: number): number {
  const head = bytes[at] as number;
  if (head >= 0xa0 && head <= 0xbf) return 1;
  if (head === 0xd9) return (bytes[at + 1] as number) >= 32 ? 2 : NOT_USUAL;
  if (head === 0xda) return (bytes[at + 1] as number) > 0 ? 3 : NOT_USUAL;
  return NOT_USUAL;
}

/** How many bytes the text has whose head is at `at` and takes `headBytes`. */
export function textLengthAt(bytes: Uint8Array, at: number, headBytes: number): number {
  if (headBytes === 1) return (bytes[at] as number) & 0x1f;
  if (headBytes === 2) return bytes[at + 1] as number;
  return ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

/** The text in bytes that are known to be valid UTF-8. */
export function textIn(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) >= 0x80) return decodeUtf8(bytes, start, end);
  }
  return readAscii(bytes, start, end);
}
