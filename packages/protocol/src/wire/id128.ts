import { expected } from './wire-error.ts';

/**
 * Ids seen lately, by the low bits of their first bytes: the same few members are in every
 * message, so most conversions are a comparison. It never changes a result, only its price; and
 * equal ids become the same string, which makes later comparisons cheap.
 */
const SEEN_COUNT = 4096;
const seen: (SeenId | undefined)[] = Array.from({ length: SEEN_COUNT }, () => undefined);

interface SeenId {
  readonly text: string;
  readonly bytes: Uint8Array;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** 16 bytes to 32 lower-case hex digits. */
export function idFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw expected('16 bytes', bytes);
  return idAt(bytes, 0);
}

/** The same of 16 bytes in the midst of others. */
export function idAt(bytes: Uint8Array, at: number): string {
  const slot = ((bytes[at] as number) | ((bytes[at + 1] as number) << 8)) % SEEN_COUNT;
  const known = seen[slot];
  if (known !== undefined && isAt(known.bytes, bytes, at)) return known.text;
  const own = new Uint8Array(bytes.subarray(at, at + 16));
  let text = '';
  for (const byte of own) text += HEX[byte] as string;
  seen[slot] = { text, bytes: own };
  return text;
}

/**
 * 32 lower-case hex digits to 16 bytes.
 * The result may be used again for another message: write it, do not keep it.
 */
export function idToBytes(text: string): Uint8Array {
  if (typeof text !== 'string' || text.length !== 32) throw expected('32 hex digits', text);
  const slot = (hexByte(text, 0) | (hexByte(text, 1) << 8)) % SEEN_COUNT;
  const known = seen[slot];
  if (known !== undefined && known.text === text) return known.bytes;
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16; i++) bytes[i] = hexByte(text, i);
  seen[slot] = { text, bytes };
  return bytes;
}

function hexByte(text: string, index: number): number {
  return (hexDigit(text, 2 * index) << 4) | hexDigit(text, 2 * index + 1);
}

function hexDigit(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  if (unit >= 0x61 && unit <= 0x66) return unit - 0x57;
  throw expected('32 lower-case hex digits', text);
}

function isAt(id: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 16; i++) if (id[i] !== bytes[at + i]) return false;
  return true;
}
