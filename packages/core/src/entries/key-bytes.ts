/** Keys in memory: one byte a code unit when all are below 256, otherwise two. */

export function isWide(key: string): boolean {
  for (let i = 0; i < key.length; i += 1) {
    if (key.charCodeAt(i) > 0xff) return true;
  }
  return false;
}

export function writeKey(key: string, wide: boolean, bytes: Uint8Array, at: number): void {
  let to = at;
  for (let i = 0; i < key.length; i += 1) {
    const unit = key.charCodeAt(i);
    bytes[to] = unit;
    to += 1;
    if (wide) {
      bytes[to] = unit >>> 8;
      to += 1;
    }
  }
}

/** Of keys of clients' choosing: the seed says which of them meet. A number of 32 bits. */
export function hashKey(key: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), FNV_PRIME);
  return finished(hash);
}

/** The same of a key in memory. @param length in code units. */
export function hashKeyBytes(
  bytes: Uint8Array,
  at: number,
  length: number,
  wide: boolean,
  seed: number,
): number {
  let hash = seed;
  for (let i = 0; i < length; i += 1) {
    const unit = wide
      ? (bytes[at + 2 * i] as number) | ((bytes[at + 2 * i + 1] as number) << 8)
      : (bytes[at + i] as number);
    hash = Math.imul(hash ^ unit, FNV_PRIME);
  }
  return finished(hash);
}

/** FNV-1a over code units (Fowler, Noll, Vo, 1991). */
const FNV_PRIME = 0x01000193;

/** As MurmurHash3 finishes (Appleby, 2011): FNV leaves the last units in the low bits. */
function finished(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Code units turned into text at a time: an argument list has a limit. */
const UNITS_AT_ONCE = 4096;

/** @param length in code units. */
export function readKey(bytes: Uint8Array, at: number, length: number, wide: boolean): string {
  let key = '';
  for (let from = 0; from < length; from += UNITS_AT_ONCE) {
    const count = Math.min(UNITS_AT_ONCE, length - from);
    const begin = at + from * (wide ? 2 : 1);
    const units = wide ? wideUnits(bytes, begin, count) : bytes.subarray(begin, begin + count);
    key += String.fromCharCode.apply(undefined, units as unknown as number[]);
  }
  return key;
}

/** Negative when the key in memory comes before `key`, 0 when it is the same: by code units. */
export function compareKey(
  bytes: Uint8Array,
  at: number,
  length: number,
  wide: boolean,
  key: string,
): number {
  const common = Math.min(length, key.length);
  for (let i = 0; i < common; i += 1) {
    const unit = wide
      ? (bytes[at + 2 * i] as number) | ((bytes[at + 2 * i + 1] as number) << 8)
      : (bytes[at + i] as number);
    const difference = unit - key.charCodeAt(i);
    if (difference !== 0) return difference;
  }
  return length - key.length;
}

function wideUnits(bytes: Uint8Array, at: number, count: number): Uint16Array {
  const units = new Uint16Array(count);
  for (let i = 0; i < count; i += 1) {
    units[i] = (bytes[at + 2 * i] as number) | ((bytes[at + 2 * i + 1] as number) << 8);
  }
  return units;
}
