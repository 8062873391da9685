import { ASCII_ROOM_BYTES, writeAscii } from '../wire/platform-text.ts';
import { utf8Bytes, writeUtf8 } from '../wire/utf8.ts';

const ROOM_BYTES_MIN = 4 * 1024;
/** What is kept between texts; one that needed more gives it back. */
const ROOM_BYTES_KEPT = 256 * 1024;

/** The UTF-8 bytes of texts one after another, gathered to be hashed, in memory that is used again. */
export class HashRoom {
  bytes: Uint8Array = new Uint8Array(ROOM_BYTES_MIN);
  length = 0;

  begin(): void {
    this.length = 0;
    if (this.bytes.length > ROOM_BYTES_KEPT) this.bytes = new Uint8Array(ROOM_BYTES_MIN);
  }

  /** @throws RangeError when `text` has no UTF-8 form, because of half a surrogate pair. */
  add(text: string): void {
    this.#reserve(text.length);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) {
        this.#addWide(text);
        return;
      }
      bytes[at++] = unit;
    }
    this.length = at;
  }

  /**
   * A text of printable ASCII that JSON writes as it is, between its quotation marks. False, with
   * nothing added, for any other.
   */
  addPlainJson(text: string): boolean {
    this.#reserve(text.length + 2 + ASCII_ROOM_BYTES);
    const { bytes } = this;
    const start = this.length + 1;
    const end = start + text.length;
    if (!writeAscii(text, bytes, start)) return false;
    for (let at = start; at < end; at++) {
      const unit = bytes[at] as number;
      if (unit < 0x20 || unit > 0x7e || unit === QUOTE || unit === BACKSLASH) return false;
    }
    bytes[start - 1] = QUOTE;
    bytes[end] = QUOTE;
    this.length = end + 1;
    return true;
  }

  #addWide(text: string): void {
    const needed = utf8Bytes(text);
    if (needed < 0) throw new RangeError('A text with half of a surrogate pair has no UTF-8 form.');
    this.#reserve(needed);
    this.length = writeUtf8(text, this.bytes, this.length);
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.bytes);
    this.bytes = grown;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
