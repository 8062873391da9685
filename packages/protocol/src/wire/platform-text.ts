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

/** Below this, calling out of the language costs more than it saves (measured: 8 bytes are even). */
const CALL_BYTES_MIN = 12;
/** Arguments of one call: few enough for every stack. */
const PART_BYTES = 1024;

/** The characters of bytes that are known to be ASCII. */
export function readAscii(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length < CALL_BYTES_MIN) {
    let text = '';
    for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] as number);
    return text;
  }
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
