/**
 * What a platform does faster than the language can. It may change the price of a conversion and
 * never its result: without it, loops do the same.
 */
export interface PlatformText {
  /** The characters of bytes that are all ASCII, from `start` to `end`. */
  readAscii(bytes: Uint8Array, start: number, end: number): string;
  /**
   * Writes the UTF-8 form of `text` from `at` on, as far as whole characters have room, and whatever
   * it likes for half of a surrogate pair.
   *
   * @returns how many bytes.
   */
  writeUtf8(bytes: Uint8Array, text: string, at: number): number;
}

let platform: PlatformText | undefined;

/** For the shell of a program, once, before it decodes anything. */
export function offerPlatformText(offered: PlatformText): void {
  platform = offered;
}

/**
 * Below this, calling out of the language costs more than it saves: 12 characters in one call of
 * `fromCharCode` take 20 ns, by the platform 45 ns, and one after another 65 ns (Node 24.21).
 */
const CALL_BYTES_MIN = 13;
/** Arguments of one call: few enough for every stack. */
const PART_BYTES = 1024;

/** Below this, a loop over the characters is as fast: about 1 ns for each, and 60 ns for a call. */
const WRITE_CHARS_MIN = 48;

/**
 * What `bytes` must have room for behind the characters of a text: then one that is not all ASCII
 * never takes as many bytes as it has characters, also where it is cut off.
 */
export const ASCII_ROOM_BYTES = 4;

/**
 * Writes a text of ASCII from `at` on. False for any other text; then what is there is of no use.
 *
 * @param bytes with room for the characters, and `ASCII_ROOM_BYTES`.
 */
export function writeAscii(text: string, bytes: Uint8Array, at: number): boolean {
  const { length } = text;
  if (platform !== undefined && length >= WRITE_CHARS_MIN) {
    return platform.writeUtf8(bytes, text, at) === length;
  }
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return false;
    bytes[at + i] = unit;
  }
  return true;
}

/** The characters of bytes that are known to be ASCII. */
export function readAscii(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length < CALL_BYTES_MIN) return shortAscii(bytes, start, length);
  return platform === undefined
    ? fromUnits(bytes, start, end)
    : platform.readAscii(bytes, start, end);
}

function fromUnits(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += PART_BYTES) {
    const part = bytes.subarray(at, Math.min(end, at + PART_BYTES));
    text += String.fromCharCode.apply(null, Array.from(part));
  }
  return text;
}

/** Unrolled, because a call whose arguments are counted needs no list of them. */
function shortAscii(b: Uint8Array, at: number, length: number): string {
  const of = String.fromCharCode;
  switch (length) {
    case 0:
      return '';
    case 1:
      return of(b[at] as number);
    case 2:
      return of(b[at] as number, b[at + 1] as number);
    case 3:
      return of(b[at] as number, b[at + 1] as number, b[at + 2] as number);
    case 4:
      return of(b[at] as number, b[at + 1] as number, b[at + 2] as number, b[at + 3] as number);
    case 5:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
      );
    case 6:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
      );
    case 7:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
      );
    case 8:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
      );
    case 9:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
      );
    case 10:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
        b[at + 9] as number,
      );
    case 11:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
        b[at + 9] as number,
        b[at + 10] as number,
      );
    default:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
        b[at + 9] as number,
        b[at + 10] as number,
        b[at + 11] as number,
      );
  }
}
