/** RFC 9562, section 4: 128 bits as five groups of lower-case hex digits. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const UUID_LENGTH = 36;
const VERSION_AT = 14;
const ZERO = 0x30;

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
  const time = hex(ms, 12);
  const high = hex((random[0] & 0x3fffffff) + 0x80000000, 8);
  const low = hex(random[1] >>> 0, 8);
  return (
    `${time.slice(0, 8)}-${time.slice(8)}-${version}${hex(bits, 3)}-` +
    `${high.slice(0, 4)}-${high.slice(4)}${low}`
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

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
