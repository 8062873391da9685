import { hexDigit, highBits, lowBits } from '../wire/hex-text.ts';

/** RFC 9562, section 4: 128 bits as five groups of lower-case hex digits. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const UUID_LENGTH = 36;
const VERSION_AT = 14;
const ZERO = 0x30;
const DASH = 0x2d;

/** Two random numbers from 0 to 2^32 - 1, of a good generator. 62 of their bits are used. */
export type RandomBits = readonly [high: number, low: number];

/**
 * A UUID of version 7 or 8: 48 bits of milliseconds since 1970, the version, 12 bits of the
 * caller's, the variant, 62 random bits. Made one after the other, they are nearly in order.
 *
 * @throws RangeError for milliseconds or bits out of range.
 */
export function timeUuid(version: 7 | 8, ms: number, rest: UuidRest): string {
  const { bits, random } = rest;
  if (!Number.isInteger(ms) || ms < 0 || ms >= 2 ** 48) {
    throw new RangeError(`Invalid time ${ms}: expected whole milliseconds below 2^48.`);
  }
  if (!Number.isInteger(bits) || bits < 0 || bits > 0xfff) {
    throw new RangeError(`Invalid bits ${bits}: expected a whole number below 4,096.`);
  }
  const a = highBits(ms);
  const b = lowBits(ms);
  const [high, low] = random;
  // One call with all characters makes one text, where joining parts would make one for each.
  return String.fromCharCode(
    hexDigit(a, 20),
    hexDigit(a, 16),
    hexDigit(a, 12),
    hexDigit(a, 8),
    hexDigit(a, 4),
    hexDigit(a, 0),
    hexDigit(b, 20),
    hexDigit(b, 16),
    DASH,
    hexDigit(b, 12),
    hexDigit(b, 8),
    hexDigit(b, 4),
    hexDigit(b, 0),
    DASH,
    ZERO + version,
    hexDigit(bits, 8),
    hexDigit(bits, 4),
    hexDigit(bits, 0),
    DASH,
    // The variant takes the two top bits.
    hexDigit((high & 0x3fffffff) | 0x80000000, 28),
    hexDigit(high, 24),
    hexDigit(high, 20),
    hexDigit(high, 16),
    DASH,
    hexDigit(high, 12),
    hexDigit(high, 8),
    hexDigit(high, 4),
    hexDigit(high, 0),
    hexDigit(low, 28),
    hexDigit(low, 24),
    hexDigit(low, 20),
    hexDigit(low, 16),
    hexDigit(low, 12),
    hexDigit(low, 8),
    hexDigit(low, 4),
    hexDigit(low, 0),
  );
}

export interface UuidRest {
  /** From 0 to 4,095. */
  readonly bits: number;
  readonly random: RandomBits;
}

/** The version of a UUID, from 1 to 8; undefined for any other text. */
export function uuidVersion(text: string): number | undefined {
  // Most ids that callers choose are no UUID, which their length shows.
  if (text.length !== UUID_LENGTH || !UUID.test(text)) return undefined;
  return text.charCodeAt(VERSION_AT) - ZERO;
}

/** The milliseconds in a UUID of version 7 or 8. */
export function uuidMs(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

/** The 12 bits after the version. */
export function uuidBits(uuid: string): number {
  return Number.parseInt(uuid.slice(15, 18), 16);
}
