import { hash64Of } from '../placement/hash.ts';
import { LIMITS } from '../limits.ts';
import { countAt, textHeadBytes, textIn, textLengthAt } from '../wire/in-place.ts';
import { numberBytes } from '../wire/msgpack.ts';
import { roomInBlock } from '../wire/shared-block.ts';
import { invalidUtf8At } from '../wire/utf8.ts';
import { WireWriter } from '../wire/wire-writer.ts';
import { isUsualObject } from './json-in-place.ts';
import { SaidText } from './said-text.ts';

const LIST_16 = 0xdc;
/** Of `entryBodyField`; more are of a newer version. */
const ELEMENTS = 20;
/** The head of the list. */
const OWNER_AT = 3;
const FALSE = 0xc2;
const TRUE = 0xc3;
const EMPTY_LIST = 0x90;
const TEXT_16 = 0xb0;
const CHECKSUM_BYTES = 16;
/** `none` to `refused`. */
const UPSTREAM_STATES = 4;

/** Whose an entry is; '' for an absent part. */
export interface EntryOwner {
  readonly userId: string;
  readonly agentId: string;
  readonly appId: string;
  readonly runId: string;
}

/**
 * An entry as nearly all are, looked at where it lies: its bytes are exactly those that
 * `entryBodyField` makes of what it reads of them, its checksum is right, and nothing was stashed
 * in it.
 */
export interface UsualEntry {
  readonly bytes: Uint8Array;
  readonly owner: EntryOwner;
  readonly category: string;
  readonly schema: string;
  readonly schemaVersion: number;
  /** Where the schema begins, and where its version ends. */
  readonly schemaAt: number;
  readonly schemaEnd: number;
}

/** Undefined for any other entry, for one of a newer version, and for what is none. */
export function usualEntryIn(bytes: Uint8Array): UsualEntry | undefined {
  if (bytes[0] !== LIST_16 || bytes[1] !== 0 || bytes[2] !== ELEMENTS) return undefined;
  return new EntryWalk(bytes).read();
}

/** The same entry in another schema. In memory that is shared: for what is used up at once. */
export function inSchema(entry: UsualEntry, name: string, version: number): Uint8Array {
  const { bytes, schema, schemaVersion, schemaAt, schemaEnd } = entry;
  if (schema === name && schemaVersion === version) return bytes;
  const named = schemaBytes(name, version);
  const room = roomInBlock(bytes.length - (schemaEnd - schemaAt) + named.length);
  room.set(bytes.subarray(0, schemaAt));
  room.set(named, schemaAt);
  room.set(bytes.subarray(schemaEnd), schemaAt + named.length);
  return room;
}

let lastSchema: { name: string; version: number; bytes: Uint8Array } | undefined;

/** Nearly always the same one again. */
function schemaBytes(name: string, version: number): Uint8Array {
  if (lastSchema?.name === name && lastSchema.version === version) return lastSchema.bytes;
  const to = new WireWriter();
  to.text(name);
  to.number(version);
  lastSchema = { name, version, bytes: to.finish() };
  return lastSchema.bytes;
}

/**
 * One walk over an entry. Its functions step over one value each, and say whether it is a usual
 * one. What lies behind the end of the bytes is no value, or is found when the end is compared.
 */
class EntryWalk {
  readonly #bytes: Uint8Array;
  /** What the checksum is made of. */
  readonly #said: SaidText;
  #at = OWNER_AT;
  /** Where the text begins that was stepped over last. */
  #start = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#said = new SaidText(bytes.length);
  }

  read(): UsualEntry | undefined {
    const owner = this.#owner();
    if (owner === undefined || !this.#content()) return undefined;
    const category = this.#category();
    if (category === undefined || !this.#categories() || !this.#metadata()) return undefined;
    // Made, updated, expires.
    if (!this.#count() || !this.#count() || !this.#count() || !this.#flag()) return undefined;
    const schemaAt = this.#at;
    if (!this.#name(LIMITS.schemaNameBytesMax)) return undefined;
    const schema = this.#text();
    const schemaVersion = countAt(this.#bytes, this.#at);
    if (!this.#count()) return undefined;
    const schemaEnd = this.#at;
    if (!this.#checksum() || !this.#upstream() || !this.#end()) return undefined;
    return { bytes: this.#bytes, owner, category, schema, schemaVersion, schemaAt, schemaEnd };
  }

  #owner(): EntryOwner | undefined {
    const max = LIMITS.scopePartBytesMax;
    if (!this.#name(max)) return undefined;
    const userId = this.#text();
    if (!this.#name(max)) return undefined;
    const agentId = this.#text();
    if (!this.#name(max)) return undefined;
    const appId = this.#text();
    if (!this.#name(max)) return undefined;
    return { userId, agentId, appId, runId: this.#text() };
  }

  #content(): boolean {
    if (!this.#step(LIMITS.contentBytesMax)) return false;
    this.#said.begin();
    const isAscii = this.#said.quote(this.#bytes, this.#start, this.#at);
    if (isAscii === undefined) return false;
    return isAscii || this.#isUtf8();
  }

  #category(): string | undefined {
    if (!this.#name(LIMITS.categoryBytesMax)) return undefined;
    this.#said.next();
    this.#said.quote(this.#bytes, this.#start, this.#at);
    return this.#text();
  }

  #categories(): boolean {
    const head = this.#bytes[this.#at] as number;
    if (!(head >= EMPTY_LIST && head < EMPTY_LIST + 16)) return false;
    this.#at += 1;
    this.#said.next();
    this.#said.begin();
    for (let i = 0; i < head - EMPTY_LIST; i++) {
      if (!this.#name(LIMITS.categoryBytesMax)) return false;
      if (i > 0) this.#said.next();
      this.#said.quote(this.#bytes, this.#start, this.#at);
    }
    this.#said.finish();
    this.#said.finish();
    return true;
  }

  #metadata(): boolean {
    if (!this.#step(LIMITS.metadataBytesMax)) return false;
    const isAscii = this.#said.add(this.#bytes, this.#start, this.#at);
    return (isAscii || this.#isUtf8()) && isUsualObject(this.#bytes, this.#start, this.#at);
  }

  #count(): boolean {
    const value = countAt(this.#bytes, this.#at);
    this.#at += value < 0 ? 0 : numberBytes(value);
    return value >= 0;
  }

  #flag(): boolean {
    const head = this.#bytes[this.#at++];
    return head === TRUE || head === FALSE;
  }

  #checksum(): boolean {
    if (this.#bytes[this.#at] !== TEXT_16) return false;
    const { high, low } = hash64Of(this.#said.bytes, this.#said.length);
    const start = this.#at + 1;
    this.#at = start + CHECKSUM_BYTES;
    return isHex(this.#bytes, start, high) && isHex(this.#bytes, start + 8, low);
  }

  /** What mem0 knows of it; what was merged away is not usual. */
  #upstream(): boolean {
    const max = LIMITS.upstreamIdBytesMax;
    if (!this.#name(max)) return false;
    const state = this.#bytes[this.#at++] as number;
    if (!(state >= 1 && state <= UPSTREAM_STATES)) return false;
    return this.#name(max) && this.#count() && this.#bytes[this.#at++] === EMPTY_LIST;
  }

  #end(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Steps over a text of at most so many bytes. */
  #step(bytesMax: number): boolean {
    const headBytes = textHeadBytes(this.#bytes, this.#at);
    if (headBytes < 0) return false;
    const length = textLengthAt(this.#bytes, this.#at, headBytes);
    this.#start = this.#at + headBytes;
    this.#at = this.#start + length;
    return length <= bytesMax && this.#at <= this.#bytes.length;
  }

  /** Steps over a text without control characters. */
  #name(bytesMax: number): boolean {
    if (!this.#step(bytesMax)) return false;
    const bytes = this.#bytes;
    for (let at = this.#start; at < this.#at; at++) {
      const byte = bytes[at] as number;
      if (byte < 0x20 || byte === 0x7f) return false;
      if (byte >= 0x80) return this.#isUtf8() && !this.#hasHighControl();
    }
    return true;
  }

  #text(): string {
    return this.#start === this.#at ? '' : textIn(this.#bytes, this.#start, this.#at);
  }

  /** Without the byte order mark that no text begins with. */
  #isUtf8(): boolean {
    const start = this.#start;
    const bytes = this.#bytes;
    if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) {
      return false;
    }
    return invalidUtf8At(bytes, start, this.#at) < 0;
  }

  /** U+0080 to U+009F, or one below in the rest of a text that is not all ASCII. */
  #hasHighControl(): boolean {
    const bytes = this.#bytes;
    for (let at = this.#start; at < this.#at; at++) {
      const byte = bytes[at] as number;
      if (byte < 0x20 || byte === 0x7f) return true;
      if (byte === 0xc2 && (bytes[at + 1] as number) < 0xa0) return true;
    }
    return false;
  }
}

/** Whether eight bytes are the lower-case hex digits of 32 bits. */
function isHex(bytes: Uint8Array, start: number, value: number): boolean {
  for (let i = 0; i < 8; i++) {
    const digit = (value >>> (28 - 4 * i)) & 0x0f;
    if (bytes[start + i] !== (digit < 10 ? 0x30 + digit : 0x57 + digit)) return false;
  }
  return true;
}
