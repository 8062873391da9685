import { invariant } from '../assert.ts';

/**
 * Places in the encoding of `entryBodyField`: a MessagePack list whose elements stand in a fixed
 * order and are only ever appended to.
 */
const ELEMENT = {
  scopeEnd: 4,
  createdAt: 8,
  expiresAt: 10,
  immutable: 11,
  schema: 12,
  count: 20,
} as const;

const LIST_16 = 0xdc;
const TRUE = 0xc3;
/** The marker of a list of 20 elements, and its 16 bits of length. */
const HEADER_BYTES = 3;
const FLOAT_BYTES = 9;
const TWO_32 = 2 ** 32;

const floatView = new DataView(new ArrayBuffer(8));

/**
 * What a write has to know of the entry before it, read from its bytes without making an object of
 * all of it.
 *
 * For bytes that were decoded once, here or where they entered the cluster, and have been kept under
 * a checksum since: what is no entry is a fault of ours here, not a stranger's.
 */
export class EntryBytes {
  readonly #bytes: Uint8Array;
  readonly #scopeEnd: number;
  readonly #createdAt: number;
  readonly #expiresAt: number;
  readonly #immutable: number;

  /** @throws InvariantError for what does not begin like an entry. */
  constructor(bytes: Uint8Array) {
    const isEntry = bytes[0] === LIST_16 && uint(bytes, 1, 2) >= ELEMENT.count;
    invariant(isEntry, 'These bytes are no entry.');
    this.#bytes = bytes;
    this.#scopeEnd = skip(bytes, HEADER_BYTES, ELEMENT.scopeEnd);
    this.#createdAt = skip(bytes, this.#scopeEnd, ELEMENT.createdAt - ELEMENT.scopeEnd);
    this.#expiresAt = skip(bytes, this.#createdAt, ELEMENT.expiresAt - ELEMENT.createdAt);
    this.#immutable = skip(bytes, this.#expiresAt, ELEMENT.immutable - ELEMENT.expiresAt);
  }

  get createdAt(): number {
    return numberAt(this.#bytes, this.#createdAt);
  }

  get expiresAt(): number {
    return numberAt(this.#bytes, this.#expiresAt);
  }

  get immutable(): boolean {
    return this.#bytes[this.#immutable] === TRUE;
  }

  /** Whether both are one owner's. Texts have one encoding. */
  hasScopeOf(other: EntryBytes): boolean {
    if (this.#scopeEnd !== other.#scopeEnd) return false;
    for (let at = HEADER_BYTES; at < this.#scopeEnd; at += 1) {
      if (this.#bytes[at] !== other.#bytes[at]) return false;
    }
    return true;
  }

  /** How long the same entry is with other dates. */
  stampedBytes(createdAt: number, updatedAt: number): number {
    const dates = this.#expiresAt - this.#createdAt;
    return this.#bytes.length - dates + numberBytes(createdAt) + numberBytes(updatedAt);
  }

  /** Writes the same entry with other dates: `stampedBytes` from `start` on. */
  stampInto(
    to: Uint8Array,
    start: number,
    { createdAt, updatedAt }: { readonly createdAt: number; readonly updatedAt: number },
  ): void {
    const bytes = this.#bytes;
    to.set(bytes.subarray(0, this.#createdAt), start);
    const created = writeNumber(to, start + this.#createdAt, createdAt);
    to.set(bytes.subarray(this.#expiresAt), writeNumber(to, created, updatedAt));
  }
}

/** The schema that an entry follows; '' for one whose writer knew of none. */
export interface EntrySchemaName {
  readonly name: string;
  readonly version: number;
}

/**
 * Read from the bytes of an entry, which are as those of `EntryBytes`.
 *
 * @returns undefined for what does not begin like an entry, and for a name that is not of ASCII.
 */
export function schemaNamedIn(bytes: Uint8Array): EntrySchemaName | undefined {
  if (bytes[0] !== LIST_16 || uint(bytes, 1, 2) < ELEMENT.count) return undefined;
  const at = skip(bytes, HEADER_BYTES, ELEMENT.schema);
  const end = skip(bytes, at, 1);
  const head = bytes[at] as number;
  let name = '';
  for (let i = at + (head === 0xd9 ? 2 : 1); i < end; i += 1) {
    const unit = bytes[i] as number;
    if (unit >= 0x80) return undefined;
    name += String.fromCharCode(unit);
  }
  return { name, version: numberAt(bytes, end) };
}

/** Where `count` values from `at` on end. */
function skip(bytes: Uint8Array, at: number, count: number): number {
  let end = at;
  for (let left = count; left > 0; left -= 1) {
    const head = bytes[end] as number;
    if (head <= 0x7f || head >= 0xe0) end += 1;
    else if (head >= 0xa0 && head <= 0xbf) end += 1 + (head & 0x1f);
    else if (head >= 0x90 && head <= 0x9f) {
      end += 1;
      left += head & 0x0f;
    } else {
      const list = head === LIST_16 ? uint(bytes, end + 1, 2) : 0;
      end += sizeOf(bytes, end, head);
      left += list;
    }
  }
  return end;
}

/** The bytes of a value with a head of its own; of a list without its elements. */
function sizeOf(bytes: Uint8Array, at: number, head: number): number {
  switch (head) {
    case 0xc0:
    case 0xc2:
    case TRUE:
      return 1;
    case 0xcc:
    case 0xd0:
      return 2;
    case 0xcd:
    case 0xd1:
    case LIST_16:
      return 3;
    case 0xce:
    case 0xd2:
      return 5;
    case 0xcb:
      return FLOAT_BYTES;
    case 0xc4:
    case 0xd9:
      return 2 + uint(bytes, at + 1, 1);
    case 0xc5:
    case 0xda:
      return 3 + uint(bytes, at + 1, 2);
    case 0xc6:
    case 0xdb:
      return 5 + uint(bytes, at + 1, 4);
    default:
      invariant(false, `An entry has no values of MessagePack type ${head}.`);
  }
}

function uint(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i += 1) value = value * 256 + (bytes[at + i] as number);
  return value;
}

/** A whole number from 0. */
function numberAt(bytes: Uint8Array, at: number): number {
  const head = bytes[at] as number;
  if (head <= 0x7f) return head;
  if (head === 0xcc) return uint(bytes, at + 1, 1);
  if (head === 0xcd) return uint(bytes, at + 1, 2);
  if (head === 0xce) return uint(bytes, at + 1, 4);
  invariant(head === 0xcb, `A date has no MessagePack type ${head}.`);
  for (let i = 0; i < 8; i += 1) floatView.setUint8(i, bytes[at + 1 + i] as number);
  return floatView.getFloat64(0);
}

function numberBytes(value: number): number {
  if (value >= TWO_32) return FLOAT_BYTES;
  return value < 0x80 ? 1 : value < 0x100 ? 2 : value < 0x10000 ? 3 : 5;
}

/** As every other whole number is encoded, so that equal entries are equal bytes. */
function writeNumber(bytes: Uint8Array, at: number, value: number): number {
  const length = numberBytes(value);
  if (length === 1) bytes[at] = value;
  else if (length === FLOAT_BYTES) {
    bytes[at] = 0xcb;
    floatView.setFloat64(0, value);
    for (let i = 0; i < 8; i += 1) bytes[at + 1 + i] = floatView.getUint8(i);
  } else {
    bytes[at] = length === 2 ? 0xcc : length === 3 ? 0xcd : 0xce;
    for (let i = 1; i < length; i += 1) bytes[at + i] = value >>> (8 * (length - 1 - i));
  }
  return at + length;
}
