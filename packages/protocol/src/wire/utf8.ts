/**
 * How many bytes `text` takes in UTF-8, or -1 when it holds half of a surrogate pair and so has
 * no UTF-8 form. Written out because `TextEncoder` is no part of the language.
 */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      bytes += 1;
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes += 2;
    } else {
      // A pair is two units and four bytes.
      const next = text.charCodeAt(i + 1);
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return -1;
      bytes += 2;
      i++;
    }
  }
  return bytes;
}

/**
 * The UTF-8 form of `text`, in memory of its own.
 *
 * @throws RangeError when it has none, because of half a surrogate pair.
 */
export function encodeUtf8(text: string): Uint8Array {
  const length = utf8Bytes(text);
  if (length < 0) throw new RangeError('A text with half of a surrogate pair has no UTF-8 form.');
  const bytes = new Uint8Array(length);
  writeUtf8(text, bytes, 0);
  return bytes;
}

/**
 * Writes the UTF-8 form of a text that has one into `bytes`, which must have room.
 *
 * @returns where it ends.
 */
export function writeUtf8(text: string, bytes: Uint8Array, from: number): number {
  let at = from;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[at++] = unit;
      continue;
    }
    const code = text.codePointAt(i) as number;
    if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      bytes[at++] = 0xe0 | (code >> 12);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else {
      bytes[at++] = 0xf0 | (code >> 18);
      bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
      // The second unit of the pair is done.
      i++;
    }
  }
  return at;
}

/** The text of bytes that are valid UTF-8, as `invalidUtf8At` says. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let units: number[] = [];
  let at = start;
  while (at < end) {
    const lead = bytes[at++] as number;
    if (lead < 0x80) units.push(lead);
    else if (lead < 0xe0) units.push(((lead & 0x1f) << 6) | ((bytes[at++] as number) & 0x3f));
    else {
      const high = ((bytes[at++] as number) & 0x3f) << 6;
      const middle = high | ((bytes[at++] as number) & 0x3f);
      if (lead < 0xf0) units.push(((lead & 0x0f) << 12) | middle);
      else {
        const code = ((lead & 0x07) << 18) | (middle << 6) | ((bytes[at++] as number) & 0x3f);
        units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
      }
    }
    if (units.length < UNITS_MAX) continue;
    text += String.fromCharCode.apply(null, units);
    units = [];
  }
  return text + String.fromCharCode.apply(null, units);
}

/** Arguments of one call: few enough for every stack. */
const UNITS_MAX = 1024;

/**
 * The longest beginning of `text` that fits into `bytesMax` without cutting a character in two.
 * Half surrogate pairs become U+FFFD, so the result can always be sent.
 */
export function fitUtf8(text: string, bytesMax: number): string {
  const whole = utf8Bytes(text);
  if (whole >= 0 && whole <= bytesMax) return text;
  let kept = '';
  let bytes = 0;
  for (const character of text) {
    const safe = utf8Bytes(character) < 0 ? '\ufffd' : character;
    bytes += utf8Bytes(safe);
    if (bytes > bytesMax) break;
    kept += safe;
  }
  return kept;
}

/**
 * Where the UTF-8 text from `start` to `end` stops being valid, or -1 when all of it is.
 * Overlong forms, surrogates and everything above U+10FFFF are invalid (RFC 3629, section 4).
 */
export function invalidUtf8At(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const lead = bytes[at] as number;
    if (lead < 0x80) {
      at++;
      continue;
    }
    const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || at + length > end) return at;
    const second = bytes[at + 1] as number;
    // These four leads allow only a part of the continuation range.
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return at;
    for (let i = 2; i < length; i++) {
      if (((bytes[at + i] as number) & 0xc0) !== 0x80) return at;
    }
    at += length;
  }
  return -1;
}
