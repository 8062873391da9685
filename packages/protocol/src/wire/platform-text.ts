/**
 * What a platform does faster than the language can. It may change the price of a conversion and
 * never its result: without it, loops do the same.
 */
export interface PlatformText {
  /** The characters of bytes that are all ASCII, from `start` to `end`. */
  readAscii(bytes: Uint8Array, start: number, end: number): string;
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
