import { encodeUtf8 } from '../wire/utf8.ts';

/** 64 bits as two lanes, because a `bigint` on the path of every operation costs an allocation. */
export interface Hash64 {
  /** Bits 63 to 32, as a whole number from 0 to 2^32 - 1. */
  readonly high: number;
  /** Bits 31 to 0, as a whole number from 0 to 2^32 - 1. */
  readonly low: number;
}

// The first 64 bits of the fraction of pi. Any two different numbers would do, but they place
// every key of every cluster, so they never change.
const SEED_HIGH = 0x243f6a88;
const SEED_LOW = 0x85a308d3;

/**
 * Where a text lies in a space of 2^64, the same on every node and in every version.
 *
 * Two independent lanes of murmur3-32 over the UTF-8 bytes. It spreads keys evenly; it is no
 * protection against somebody who searches for keys that collide.
 *
 * @throws RangeError when `text` has no UTF-8 form.
 */
export function hash64(text: string): Hash64 {
  const { length } = text;
  if (length > ROOM_BYTES) return hash64Of(encodeUtf8(text));
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return hash64Of(encodeUtf8(text));
    room[i] = unit;
  }
  return hash64Of(room, length);
}

/** Most texts are short and ASCII, and need no memory of their own to be hashed. */
const ROOM_BYTES = 512;
const room = new Uint8Array(ROOM_BYTES);

/** The same of UTF-8 that is there already: the first `length` bytes. */
export function hash64Of(bytes: Uint8Array, length: number = bytes.length): Hash64 {
  const tailAt = length & ~3;
  let high = SEED_HIGH;
  let low = SEED_LOW;
  // Both lanes in one pass: what they have in common is most of the work.
  for (let at = 0; at < tailAt; at += 4) {
    const block = scramble(blockAt(bytes, at));
    high = (Math.imul(rotate(high ^ block, 13), 5) + 0xe6546b64) | 0;
    low = (Math.imul(rotate(low ^ block, 13), 5) + 0xe6546b64) | 0;
  }
  if (tailAt < length) {
    const block = scramble(tailOf(bytes, tailAt, length));
    high ^= block;
    low ^= block;
  }
  return { high: mix32(high ^ length), low: mix32(low ^ length) };
}

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/**
 * MurmurHash3_x86_32 by Austin Appleby, as published with SMHasher.
 *
 * @param seed a whole number from 0 to 2^32 - 1.
 * @returns a whole number from 0 to 2^32 - 1.
 */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const tailAt = bytes.length & ~3;
  let hash = seed;
  for (let at = 0; at < tailAt; at += 4) {
    const block = blockAt(bytes, at);
    hash = rotate(hash ^ scramble(block), 13);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (tailAt < bytes.length) {
    hash ^= scramble(tailOf(bytes, tailAt, bytes.length));
  }
  return mix32(hash ^ bytes.length);
}

/** Murmur3's finaliser: one to one on 32 bits, and every input bit moves about half of the output. */
export function mix32(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(block: number): number {
  return Math.imul(rotate(Math.imul(block, C1), 15), C2);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Four bytes, the lowest first. */
function blockAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** The last one to three bytes, in the same order as the four of a block. */
function tailOf(bytes: Uint8Array, from: number, end: number): number {
  let block = 0;
  for (let at = from; at < end; at++) block |= (bytes[at] as number) << (8 * (at - from));
  return block;
}
