/** The codes of the digits, so that a text of many can be made at once. */
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

/** The code of the hex digit for the four bits of `value` that begin at bit `at`. */
export function hexDigit(value: number, at: number): number {
  return DIGITS[(value >>> at) & 0xf] as number;
}

const TWO_24 = 2 ** 24;

/** The upper half of a whole number below 2^48. */
export function highBits(value: number): number {
  return Math.floor(value / TWO_24);
}

/** The lower half of a whole number below 2^48. */
export function lowBits(value: number): number {
  return value % TWO_24;
}

/** 32 bits as eight digits. */
export function hex32(value: number): string {
  return String.fromCharCode(
    hexDigit(value, 28),
    hexDigit(value, 24),
    hexDigit(value, 20),
    hexDigit(value, 16),
    hexDigit(value, 12),
    hexDigit(value, 8),
    hexDigit(value, 4),
    hexDigit(value, 0),
  );
}
