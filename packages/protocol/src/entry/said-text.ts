const QUOTE = 0x22;
const COMMA = 0x2c;
const LIST_OPEN = 0x5b;
const BACKSLASH = 0x5c;
const LIST_CLOSE = 0x5d;

/** What `JSON.stringify` writes behind a backslash for these; `u` and four digits for others. */
const SHORT: readonly (number | undefined)[] = shortEscapes();

function shortEscapes(): (number | undefined)[] {
  const codes: (number | undefined)[] = Array.from({ length: 0x20 }, () => undefined);
  for (const [character, letter] of ['\bb', '\tt', '\nn', '\ff', '\rr']) {
    codes[character?.charCodeAt(0) as number] = letter?.charCodeAt(0);
  }
  return codes;
}

/** What every byte may become: `\u001f`. */
const GROWTH = 6;
/** Brackets and commas that no byte of the entry stands for. */
const EXTRA_BYTES = 64 * 4;
const ROOM_BYTES_MIN = 4 * 1024;
const ROOM_BYTES_KEPT = 64 * 1024;

/** Of whoever writes next: it is read before anybody else writes. */
let room: Uint8Array = new Uint8Array(ROOM_BYTES_MIN);

/**
 * The canonical JSON that a checksum is made of, in UTF-8, written byte by byte from an encoded
 * entry: `entryChecksum` makes the same text of a decoded one.
 */
export class SaidText {
  readonly bytes: Uint8Array;
  length = 0;

  /** @param sourceBytes how many bytes all that is added has at most. */
  constructor(sourceBytes: number) {
    const needed = sourceBytes * GROWTH + EXTRA_BYTES;
    if (needed <= room.length) this.bytes = room;
    else {
      this.bytes = new Uint8Array(needed);
      if (needed <= ROOM_BYTES_KEPT) room = this.bytes;
    }
  }

  /** Begins a list. */
  begin(): void {
    this.bytes[this.length++] = LIST_OPEN;
  }

  next(): void {
    this.bytes[this.length++] = COMMA;
  }

  /** Ends a list. */
  finish(): void {
    this.bytes[this.length++] = LIST_CLOSE;
  }

  /** Text, as JSON quotes it. Whether all of it is ASCII; undefined for a text with NUL. */
  quote(from: Uint8Array, start: number, end: number): boolean | undefined {
    const to = this.bytes;
    let all = 0;
    let length = this.length;
    to[length++] = QUOTE;
    for (let at = start; at < end; at++) {
      const byte = from[at] as number;
      all |= byte;
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) to[length++] = byte;
      else if (byte === 0) return undefined;
      else length = escape(to, length, byte);
    }
    to[length++] = QUOTE;
    this.length = length;
    return all < 0x80;
  }

  /** What is JSON already. Whether all of it is ASCII. */
  add(from: Uint8Array, start: number, end: number): boolean {
    let all = 0;
    for (let at = start; at < end; at++) {
      const byte = from[at] as number;
      all |= byte;
      this.bytes[this.length++] = byte;
    }
    return all < 0x80;
  }
}

/** Where the next byte belongs. */
function escape(to: Uint8Array, at: number, byte: number): number {
  to[at] = BACKSLASH;
  const short = byte >= 0x20 ? byte : SHORT[byte];
  if (short !== undefined) {
    to[at + 1] = short;
    return at + 2;
  }
  const text = `u${byte.toString(16).padStart(4, '0')}`;
  for (let i = 0; i < text.length; i++) to[at + 1 + i] = text.charCodeAt(i);
  return at + 1 + text.length;
}
