import { LIMITS } from '../limits.ts';
import { writeCount } from '../wire/in-place.ts';
import { textHeaderBytes } from '../wire/msgpack.ts';
import { hasControlCharacter } from '../wire/name-field.ts';
import { roomInBlock } from '../wire/shared-block.ts';
import { canonicalJson } from './canonical-json.ts';
import type { EntryBody } from './entry.ts';
import { SaidText } from './said-text.ts';

/** Lists of up to 15 are usual. */
const CATEGORIES_MAX = 15;
const EMPTY_LIST = 0x90;
const FALSE = 0xc2;
const TRUE = 0xc3;
const UPSTREAM_NONE = 1;
/** The head, the numbers and the heads of all texts but the categories. */
const FRAME_BYTES = 256;
const HEAD_BYTES_MAX = 5;
const ROOM_BYTES_MIN = 4 * 1024;
const ROOM_BYTES_KEPT = 128 * 1024;

/** Of whoever writes next: it is copied before anybody else writes. */
let room: Uint8Array = new Uint8Array(ROOM_BYTES_MIN);

/** An entry that mem0 has not been told of, before its checksum is known. */
export type NewEntry = Omit<
  EntryBody,
  | 'checksum'
  | 'upstreamId'
  | 'upstreamState'
  | 'upstreamHash'
  | 'upstreamConfirmedAt'
  | 'superseded'
  | 'unknownFields'
>;

export interface UsualEncoding {
  /** In memory that is shared: for what is sent at once, and not kept. */
  readonly bytes: Uint8Array;
  readonly checksum: string;
}

/**
 * A new and valid entry whose texts are all ASCII, with its checksum, in one pass: what
 * `entryBodyField` and `entryChecksum` make of it. Undefined for any other, and for numbers that
 * are none.
 */
export function usualEncodingOf(entry: NewEntry): UsualEncoding | undefined {
  const writer = new EntryWriter(entry);
  return writer.write(entry) ? writer.finish() : undefined;
}

/** Each of its functions says whether the value could be written. */
class EntryWriter {
  readonly #to: Uint8Array;
  readonly #said: SaidText;
  readonly #metadata: string;
  #at = 0;
  /** Where the characters begin of the text that was written last. */
  #start = 0;
  #checksum = '';

  constructor(entry: NewEntry) {
    this.#metadata = canonicalJson(entry.metadata);
    const needed = sizeOf(entry) + this.#metadata.length;
    if (needed > room.length) {
      const grown = new Uint8Array(needed);
      if (needed <= ROOM_BYTES_KEPT) room = grown;
      this.#to = grown;
    } else this.#to = room;
    this.#said = new SaidText(needed);
  }

  write(entry: NewEntry): boolean {
    this.#to[0] = 0xdc;
    this.#to[1] = 0;
    this.#to[2] = 20;
    this.#at = 3;
    const { userId, agentId, appId, runId } = entry;
    const isOwned =
      this.#text(userId) && this.#text(agentId) && this.#text(appId) && this.#text(runId);
    if (!isOwned || !this.#saidOf(entry) || !this.#dates(entry)) return false;
    this.#to[this.#at++] = entry.immutable ? TRUE : FALSE;
    if (!isSchemaName(entry.schema) || !this.#text(entry.schema)) return false;
    if (!this.#count(entry.schemaVersion)) return false;
    this.#checksum = this.#said.checksum();
    this.#text(this.#checksum);
    this.#text('');
    this.#to[this.#at++] = UPSTREAM_NONE;
    this.#text('');
    this.#to[this.#at++] = 0;
    this.#to[this.#at++] = EMPTY_LIST;
    return true;
  }

  finish(): UsualEncoding {
    const bytes = roomInBlock(this.#at);
    bytes.set(this.#to.subarray(0, this.#at));
    return { bytes, checksum: this.#checksum };
  }

  #saidOf({ content, category, categories }: NewEntry): boolean {
    const said = this.#said;
    said.begin();
    if (!this.#quoted(content)) return false;
    said.next();
    if (!this.#quoted(category) || categories.length > CATEGORIES_MAX) return false;
    said.next();
    said.begin();
    this.#to[this.#at++] = EMPTY_LIST + categories.length;
    for (let i = 0; i < categories.length; i++) {
      if (i > 0) said.next();
      if (!this.#quoted(categories[i] as string)) return false;
    }
    said.finish();
    said.finish();
    if (!this.#text(this.#metadata)) return false;
    said.add(this.#to, this.#start, this.#at);
    return true;
  }

  #dates({ createdAt, updatedAt, expiresAt }: NewEntry): boolean {
    return this.#count(createdAt) && this.#count(updatedAt) && this.#count(expiresAt);
  }

  #count(value: number): boolean {
    if (!Number.isSafeInteger(value) || value < 0) return false;
    this.#at = writeCount(this.#to, this.#at, value);
    return true;
  }

  #quoted(value: string): boolean {
    return this.#text(value) && this.#said.quote(this.#to, this.#start, this.#at) === true;
  }

  #text(value: string): boolean {
    const to = this.#to;
    const { length } = value;
    const headBytes = textHeaderBytes(length);
    // Longer ones are for the encoder.
    if (headBytes === HEAD_BYTES_MAX) return false;
    let at = this.#at;
    if (headBytes === 1) to[at++] = 0xa0 | length;
    else if (headBytes === 2) {
      to[at++] = 0xd9;
      to[at++] = length;
    } else {
      to[at++] = 0xda;
      to[at++] = length >>> 8;
      to[at++] = length;
    }
    this.#start = at;
    let all = 0;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      all |= unit;
      to[at + i] = unit;
    }
    this.#at = at + length;
    return all < 0x80;
  }
}

/** It may come from whoever checks entries, and not from the caller that gave this one. */
function isSchemaName(name: string): boolean {
  return name.length <= LIMITS.schemaNameBytesMax && !hasControlCharacter(name);
}

/** At least as many bytes as it takes if all of it is ASCII, without its metadata. */
function sizeOf(entry: NewEntry): number {
  const { userId, agentId, appId, runId, content, category, categories, schema } = entry;
  const owner = userId.length + agentId.length + appId.length + runId.length;
  let size = FRAME_BYTES + owner + content.length + category.length + schema.length;
  for (const one of categories) size += HEAD_BYTES_MAX + one.length;
  return size;
}
