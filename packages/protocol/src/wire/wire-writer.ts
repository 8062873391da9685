import {
  bytesHeaderBytes,
  listHeaderBytes,
  numberBytes,
  textHeaderBytes,
  type WireValue,
} from './msgpack.ts';
import { ASCII_ROOM_BYTES, writeAscii } from './platform-text.ts';
import { roomInBlock } from './shared-block.ts';
import { encodeUtf8 } from './utf8.ts';
import { WireError } from './wire-error.ts';

/** Thrown for what is not written, and never shown: `toWire` then tells what is wrong. */
const UNWRITTEN = new WireError('expected what is usual, got something else.');

const ROOM_BYTES_MIN = 8 * 1024;
/** What is kept between messages; one that needed more gives it back. */
const ROOM_BYTES_KEPT = 256 * 1024;

/** The room of the last writer, for the next one. */
let spareRoom: Uint8Array | undefined;

/** The longest header. */
const HEADER_BYTES_MAX = 5;
/** Copying fewer bytes one by one is cheaper than making the view that `set` needs no copy for. */
const LOOP_BYTES_MAX = 24;

/**
 * Writes wire values one after another into room that grows, each in its shortest form: the same
 * bytes for the same values as `pack`, without building lists of values first.
 */
export class WireWriter {
  #room: Uint8Array;
  #at = 0;

  constructor() {
    this.#room = spareRoom ?? new Uint8Array(ROOM_BYTES_MIN);
    // Taken: whoever writes while somebody else does gets room of its own.
    spareRoom = undefined;
  }

  /** What was written, in memory of its own. The writer must not be used again. */
  finish(): Uint8Array {
    const written = this.#room.slice(0, this.#at);
    this.giveUp();
    return written;
  }

  /** The same for what is used up within moments: small bytes share memory. See `roomInBlock`. */
  finishPassing(): Uint8Array {
    const length = this.#at;
    const written = roomInBlock(length);
    written.set(this.#room.subarray(0, length));
    this.giveUp();
    return written;
  }

  /** What was written so far, in memory that is the writer's. */
  view(): Uint8Array {
    return this.#room.subarray(0, this.#at);
  }

  /** Nothing comes of what was written, or not any more. */
  giveUp(): void {
    if (this.#room.length <= ROOM_BYTES_KEPT) spareRoom = this.#room;
  }

  /** Begins a list of so many values, which must follow. */
  list(count: number): void {
    this.#reserve(HEADER_BYTES_MAX);
    if (count < 16) this.#room[this.#at++] = 0x90 | count;
    else this.#header(count, listHeaderBytes(count), 0xdc - 1);
  }

  nil(): void {
    this.#reserve(1);
    this.#room[this.#at++] = 0xc0;
  }

  boolean(value: boolean): void {
    this.#reserve(1);
    this.#room[this.#at++] = value ? 0xc3 : 0xc2;
  }

  number(value: number): void {
    this.#reserve(9);
    if (value >= 0 && value < 0x80 && Number.isInteger(value)) {
      this.#room[this.#at++] = value;
      return;
    }
    switch (numberBytes(value)) {
      case 1:
        this.#room[this.#at++] = value & 0xff;
        break;
      case 2:
        this.#integer(value < 0 ? 0xd0 : 0xcc, value, 1);
        break;
      case 3:
        this.#integer(value < 0 ? 0xd1 : 0xcd, value, 2);
        break;
      case 5:
        this.#integer(value < 0 ? 0xd2 : 0xce, value, 4);
        break;
      default:
        this.#float(value);
    }
  }

  /** A whole number from 0 to 2^53 - 1. @throws UNWRITTEN for anything else. */
  count(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw UNWRITTEN;
    this.number(value);
  }

  /** False, with nothing written, for text that is no printable ASCII of `min` to `max` bytes. */
  plainName(value: string, min: number, max: number): boolean {
    const { length } = value;
    if (length < min || length > max) return false;
    this.#reserve(HEADER_BYTES_MAX + length);
    const room = this.#room;
    const start = this.#at + textHeaderBytes(length);
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit < 0x20 || unit > 0x7e) return false;
      room[start + i] = unit;
    }
    this.#textHeader(length);
    this.#at = start + length;
    return true;
  }

  /** False, with nothing written, for text that is not all ASCII or longer than `bytesMax`. */
  ascii(value: string, bytesMax: number): boolean {
    const { length } = value;
    if (length > bytesMax) return false;
    this.#reserve(HEADER_BYTES_MAX + length + ASCII_ROOM_BYTES);
    const start = this.#at + textHeaderBytes(length);
    if (!writeAscii(value, this.#room, start)) return false;
    this.#textHeader(length);
    this.#at = start + length;
    return true;
  }

  /** @throws RangeError for half of a surrogate pair. */
  text(value: string): void {
    if (this.ascii(value, Infinity)) return;
    const encoded = encodeUtf8(value);
    this.#reserve(HEADER_BYTES_MAX + encoded.length);
    this.#textHeader(encoded.length);
    this.#copy(encoded);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(HEADER_BYTES_MAX + value.length);
    this.#header(value.length, bytesHeaderBytes(value.length), 0xc4);
    this.#copy(value);
  }

  value(value: WireValue): void {
    if (value === null) this.nil();
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'string') this.text(value);
    else if (typeof value === 'boolean') this.boolean(value);
    else if (value instanceof Uint8Array) this.bytes(value);
    else {
      this.list(value.length);
      for (const element of value) this.value(element);
    }
  }

  #textHeader(length: number): void {
    if (length < 32) this.#room[this.#at++] = 0xa0 | length;
    else this.#header(length, textHeaderBytes(length), 0xd9);
  }

  /** The three long headers of a kind are neighbours: of one, two and four bytes of length. */
  #header(length: number, headerBytes: number, first: number): void {
    const width = headerBytes - 1;
    this.#integer(first + (width >> 1), length, width);
  }

  #integer(head: number, value: number, width: number): void {
    const room = this.#room;
    room[this.#at++] = head;
    for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) room[this.#at++] = value >>> shift;
  }

  #float(value: number): void {
    floatView.setFloat64(0, value);
    this.#room[this.#at++] = 0xcb;
    for (let i = 0; i < 8; i++) this.#room[this.#at++] = floatBytes[i] as number;
  }

  #copy(bytes: Uint8Array): void {
    const { length } = bytes;
    const room = this.#room;
    const start = this.#at;
    if (length > LOOP_BYTES_MAX) room.set(bytes, start);
    else for (let i = 0; i < length; i++) room[start + i] = bytes[i] as number;
    this.#at = start + length;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#room.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#room.length));
    grown.set(this.#room);
    this.#room = grown;
  }
}

const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);
