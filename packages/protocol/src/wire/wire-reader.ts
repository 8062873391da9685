import { readAscii } from './platform-text.ts';
import { DEPTH_MAX, VALUES_MAX } from './guard.ts';
import { idAt } from './id128.ts';
import type { WireValue } from './msgpack.ts';
import { copyIntoBlock } from './shared-block.ts';
import { decodeUtf8, invalidUtf8At } from './utf8.ts';
import { WireError } from './wire-error.ts';

/**
 * Thrown by readers for whatever they do not read, and never shown: whoever catches it decodes the
 * same bytes by way of wire values, which finds out what is wrong and where. One for all, because
 * an error that is made costs more than the message that it is about.
 */
export const UNREAD = new WireError('expected what is usual, got something else.');

/**
 * Reads wire values one after another out of bytes, as the fields ask for them. It takes what
 * `guard` takes, or less: in doubt it throws `UNREAD`.
 */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at = 0;
  /** Where the bytes of the text begin that was read last. */
  #textAt = 0;
  /** Counted as `guard` does it: all values of the lists that were begun, and the first. */
  #values = 1;

  constructor(bytes: Uint8Array) {
    // A Buffer's `slice` is no copy; and one kind of array keeps the code that reads it fast.
    this.#bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
  }

  /** Everything has been read. @throws UNREAD when something follows. */
  end(): void {
    if (this.#at !== this.#end) throw UNREAD;
  }

  /** Begins a list. How many values follow. */
  list(): number {
    const head = this.#byte();
    let count: number;
    if (head >= 0x90 && head <= 0x9f) count = head & 0x0f;
    else if (head === 0xdc) count = this.#uint(2);
    else if (head === 0xdd) count = this.#uint(4);
    else throw UNREAD;
    this.#values += count;
    if (count > this.#end - this.#at || this.#values > VALUES_MAX) throw UNREAD;
    return count;
  }

  /** Whether the next value is nil; if so, it has been read. */
  nil(): boolean {
    if (this.#at >= this.#end) throw UNREAD;
    if (this.#bytes[this.#at] !== 0xc0) return false;
    this.#at += 1;
    return true;
  }

  boolean(): boolean {
    const head = this.#byte();
    if (head === 0xc3) return true;
    if (head === 0xc2) return false;
    throw UNREAD;
  }

  number(): number {
    const head = this.#byte();
    if (head <= 0x7f) return head;
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case 0xcc:
        return this.#uint(1);
      case 0xcd:
        return this.#uint(2);
      case 0xce:
        return this.#uint(4);
      case 0xcb:
        return this.#float();
      case 0xd0:
        return (this.#uint(1) << 24) >> 24;
      case 0xd1:
        return (this.#uint(2) << 16) >> 16;
      case 0xd2:
        return this.#uint(4) | 0;
      default:
        throw UNREAD;
    }
  }

  /** A whole number from 0 to 2^53 - 1. */
  count(): number {
    const head = this.#bytes[this.#at];
    if (head !== undefined && head <= 0x7f) {
      this.#at += 1;
      return head;
    }
    const value = this.number();
    if (!Number.isSafeInteger(value) || value < 0) throw UNREAD;
    // Minus zero is equal to zero but not identical.
    return value + 0;
  }

  /**
   * Printable ASCII, which most names are. Undefined, and nothing read, for anything else: `text`
   * then says what it is.
   */
  plainName(bytesMin: number, bytesMax: number): string | undefined {
    const bytes = this.#bytes;
    const head = bytes[this.#at] ?? 0;
    let start = this.#at + 1;
    let length = head & 0x1f;
    if (head === 0xd9) length = bytes[start++] ?? 0;
    else if (head < 0xa0 || head > 0xbf) return undefined;
    const end = start + length;
    if (length < bytesMin || length > bytesMax || end > this.#end) return undefined;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte < 0x20 || byte > 0x7e) return undefined;
    }
    this.#at = end;
    return length === 0 ? '' : readAscii(bytes, start, end);
  }

  /** Well-formed text of at most `bytesMax` bytes without a byte order mark. */
  text(bytesMax: number): string {
    const head = this.#byte();
    let length: number;
    if (head >= 0xa0 && head <= 0xbf) length = head & 0x1f;
    else if (head === 0xd9) length = this.#uint(1);
    else if (head === 0xda) length = this.#uint(2);
    else if (head === 0xdb) length = this.#uint(4);
    else throw UNREAD;
    if (length > bytesMax) throw UNREAD;
    this.#textAt = this.#skip(length);
    return this.#textOf(this.#textAt, length);
  }

  /** What `look` says of the bytes of the text that was read right before. */
  lastText(look: (bytes: Uint8Array, start: number, end: number) => boolean): boolean {
    return look(this.#bytes, this.#textAt, this.#at);
  }

  /** A view: copy what is kept. */
  bytes(min: number, max: number): Uint8Array {
    const length = this.#bytesLength(min, max);
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Sixteen bytes, as the text of an id. */
  id128(): string {
    const length = this.#bytesLength(16, 16);
    return idAt(this.#bytes, this.#skip(length));
  }

  /** Bytes in memory of their own. */
  ownBytes(min: number, max: number): Uint8Array {
    const length = this.#bytesLength(min, max);
    const start = this.#skip(length);
    return this.#bytes.slice(start, start + length);
  }

  /** Bytes in memory that others of about the same time share: for what is not kept. */
  passingBytes(min: number, max: number): Uint8Array {
    return copyIntoBlock(this.bytes(min, max));
  }

  /** Whatever comes next, with views for bytes. */
  value(depth = 0): WireValue {
    const head = this.#bytes[this.#at] ?? 0xc1;
    if (head === 0xc0) {
      this.#at += 1;
      return null;
    }
    if (head === 0xc2 || head === 0xc3) return this.boolean();
    if ((head >= 0xa0 && head <= 0xbf) || (head >= 0xd9 && head <= 0xdb))
      return this.text(Infinity);
    if (head >= 0xc4 && head <= 0xc6) return this.bytes(0, Infinity);
    if ((head < 0x90 || head > 0x9f) && head !== 0xdc && head !== 0xdd) return this.number();
    if (depth >= DEPTH_MAX) throw UNREAD;
    const count = this.list();
    const values: WireValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value(depth + 1));
    return values;
  }

  #bytesLength(min: number, max: number): number {
    const head = this.#byte();
    let length: number;
    if (head === 0xc4) length = this.#uint(1);
    else if (head === 0xc5) length = this.#uint(2);
    else if (head === 0xc6) length = this.#uint(4);
    else throw UNREAD;
    if (length < min || length > max) throw UNREAD;
    return length;
  }

  #textOf(start: number, length: number): string {
    if (length === 0) return '';
    const bytes = this.#bytes;
    const end = start + length;
    let all = 0;
    for (let at = start; at < end; at++) all |= bytes[at] as number;
    if (all < 0x80) return readAscii(bytes, start, end);
    if (invalidUtf8At(bytes, start, end) >= 0) throw UNREAD;
    const text = decodeUtf8(bytes, start, end);
    if (text.charCodeAt(0) === 0xfeff) throw UNREAD;
    return text;
  }

  /** Where what is skipped begins. */
  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw UNREAD;
    this.#at = start + length;
    return start;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw UNREAD;
    return this.#bytes[this.#at++] as number;
  }

  #uint(length: number): number {
    const start = this.#skip(length);
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + (this.#bytes[start + i] as number);
    return value;
  }

  #float(): number {
    const start = this.#skip(8);
    for (let i = 0; i < 8; i++) floatBytes[i] = this.#bytes[start + i] as number;
    return floatView.getFloat64(0);
  }
}

const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);
