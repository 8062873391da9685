import { mix32, murmur3 } from '../placement/hash.ts';

/** What a text is for. A number is never used again; text of one kind is never read as another. */
export const OPAQUE_KINDS = { session: 1, watch: 2, cursor: 3 } as const;

export type OpaqueKind = keyof typeof OPAQUE_KINDS;

export type OpaqueRead =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** For instance `it was cut or changed`. */
  | { readonly kind: 'invalid'; readonly problem: string };

const FORMAT = 1;
const HEADER_BYTES = 2;
const CHECK_BYTES = 4;

/** How many bytes a text of so many characters can hold. */
export function opaqueRoom(charsMax: number): number {
  return Math.floor((charsMax * 3) / 4) - HEADER_BYTES - CHECK_BYTES;
}

/**
 * Bytes as text for a caller to keep and hand back: letters, digits, `-` and `_` (base64url without
 * padding, RFC 4648), with a checksum.
 */
export function writeOpaque(kind: OpaqueKind, bytes: Uint8Array): string {
  const sealed = new Uint8Array(HEADER_BYTES + bytes.length + CHECK_BYTES);
  sealed[0] = FORMAT;
  sealed[1] = OPAQUE_KINDS[kind];
  sealed.set(bytes, HEADER_BYTES);
  const end = sealed.length - CHECK_BYTES;
  const check = checkOf(sealed.subarray(0, end));
  for (let i = 0; i < CHECK_BYTES; i++) sealed[end + i] = check >>> (24 - 8 * i);
  return toBase64Url(sealed);
}

/** Never throws, whatever the text: people paste, cut and forge it. */
export function readOpaque(kind: OpaqueKind, text: string): OpaqueRead {
  const sealed = fromBase64Url(text);
  if (sealed === undefined || sealed.length < HEADER_BYTES + CHECK_BYTES) {
    return invalid('it is no text that memgrid made');
  }
  const end = sealed.length - CHECK_BYTES;
  let check = 0;
  for (const byte of sealed.subarray(end)) check = check * 256 + byte;
  if (check !== checkOf(sealed.subarray(0, end))) return invalid('it was cut or changed');
  if (sealed[0] !== FORMAT) {
    return invalid(`its format is ${sealed[0]}, and this version reads ${FORMAT}`);
  }
  if (sealed[1] !== OPAQUE_KINDS[kind]) return invalid('it was made for something else');
  return { kind: 'bytes', bytes: sealed.slice(HEADER_BYTES, end) };
}

function invalid(problem: string): OpaqueRead {
  return { kind: 'invalid', problem };
}

/** Any number would do, except that of another use of the same hash. */
const CHECK_SEED = 0x6d677478;

function checkOf(bytes: Uint8Array): number {
  return mix32(murmur3(bytes, CHECK_SEED));
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < LETTERS.length; value++) VALUES[LETTERS.charCodeAt(value)] = value;

function toBase64Url(bytes: Uint8Array): string {
  let text = '';
  let word = 0;
  let bits = 0;
  for (const byte of bytes) {
    word = ((word << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += LETTERS[(word >>> bits) & 0x3f] as string;
    }
  }
  if (bits > 0) text += LETTERS[(word << (6 - bits)) & 0x3f] as string;
  return text;
}

/** Undefined for text that `toBase64Url` cannot have written, also in bits that carry nothing. */
function fromBase64Url(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 6) / 8));
  let word = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? -1;
    if (value < 0) return undefined;
    word = ((word << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = word >>> bits;
  }
  const restIsEmpty = (word & ((1 << bits) - 1)) === 0;
  return bits < 6 && restIsEmpty ? bytes : undefined;
}
