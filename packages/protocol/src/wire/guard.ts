import { invalidUtf8At } from './utf8.ts';
import { WireError } from './wire-error.ts';

/** Lists in lists. The deepest message of version 1 needs 7. */
export const DEPTH_MAX = 16;

/** Values in one message, counted before memory is taken for any of them. */
export const VALUES_MAX = 256 * 1024;

/**
 * Reads the structure of one encoded value without building anything, and refuses whatever the
 * real decoder should never see.
 *
 * Wire values are nil, booleans, integers, 64-bit floats, text, bytes and lists: a small part of
 * MessagePack. There are no maps (so no `__proto__` keys), no extensions (so no constructors
 * called by a stranger) and no 64-bit integers (so no BigInt). Lengths are compared with what is
 * left, depth and number of values with their limits, and text must be strict UTF-8, because
 * decoders differ in how they repair it and two nodes must never read different values.
 *
 * @throws WireError naming the offset.
 */
export function guard(bytes: Uint8Array): void {
  const end = new Guard(bytes).value(0, 0);
  if (end !== bytes.length) {
    throw new WireError(`expected ${end} bytes, got ${bytes.length}: something follows the value.`);
  }
}

class Guard {
  readonly #bytes: Uint8Array;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Checks the value at `at` and returns where the next one starts. */
  value(at: number, depth: number): number {
    if (++this.#values > VALUES_MAX) {
      throw new WireError(`byte ${at}: expected at most ${VALUES_MAX} values, got more.`);
    }
    const head = this.#byte(at);
    if (head <= 0x7f || head >= 0xe0) return at + 1;
    if (head >= 0xa0 && head <= 0xbf) return this.#text(at + 1, head & 0x1f);
    if (head >= 0x90 && head <= 0x9f) return this.#list(at + 1, head & 0x0f, depth);
    switch (head) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return at + 1;
      case 0xc4:
        return this.#skip(at + 2, this.#uint(at + 1, 1));
      case 0xc5:
        return this.#skip(at + 3, this.#uint(at + 1, 2));
      case 0xc6:
        return this.#skip(at + 5, this.#uint(at + 1, 4));
      case 0xcc:
      case 0xd0:
        return this.#skip(at + 1, 1);
      case 0xcd:
      case 0xd1:
        return this.#skip(at + 1, 2);
      case 0xce:
      case 0xd2:
        return this.#skip(at + 1, 4);
      case 0xcb:
        return this.#skip(at + 1, 8);
      case 0xd9:
        return this.#text(at + 2, this.#uint(at + 1, 1));
      case 0xda:
        return this.#text(at + 3, this.#uint(at + 1, 2));
      case 0xdb:
        return this.#text(at + 5, this.#uint(at + 1, 4));
      case 0xdc:
        return this.#list(at + 3, this.#uint(at + 1, 2), depth);
      case 0xdd:
        return this.#list(at + 5, this.#uint(at + 1, 4), depth);
      default:
        throw new WireError(
          `byte ${at}: expected a list, text, bytes, number, boolean or nil, ` +
            `got MessagePack type 0x${head.toString(16)}.`,
        );
    }
  }

  #list(start: number, count: number, depth: number): number {
    if (depth >= DEPTH_MAX) {
      throw new WireError(`byte ${start}: expected at most ${DEPTH_MAX} lists in lists, got more.`);
    }
    // Every value takes at least one byte.
    if (count > this.#bytes.length - start) throw this.#short(start, count);
    let at = start;
    for (let i = 0; i < count; i++) at = this.value(at, depth + 1);
    return at;
  }

  #text(start: number, length: number): number {
    const end = this.#skip(start, length);
    const invalid = invalidUtf8At(this.#bytes, start, end);
    if (invalid >= 0) {
      throw new WireError(`byte ${invalid}: expected UTF-8 text, got an invalid sequence.`);
    }
    if (length >= 3 && this.#uint(start, 3) === BYTE_ORDER_MARK) {
      throw new WireError(`byte ${start}: expected text without a byte order mark, got one.`);
    }
    return end;
  }

  #skip(start: number, length: number): number {
    if (length > this.#bytes.length - start) throw this.#short(start, length);
    return start + length;
  }

  #uint(at: number, length: number): number {
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this.#byte(at + i);
    return value;
  }

  #byte(at: number): number {
    const byte = this.#bytes[at];
    if (byte === undefined) throw this.#short(at, 1);
    return byte;
  }

  #short(at: number, wanted: number): WireError {
    const left = Math.max(0, this.#bytes.length - at);
    return new WireError(`byte ${at}: expected ${wanted} more bytes, got ${left}.`);
  }
}

/** U+FEFF in UTF-8. Some text decoders drop it, which would change the value. */
const BYTE_ORDER_MARK = 0xefbbbf;
