import type { ShardId, ShardPosition } from '@memgrid/protocol';

/** What a text is good for: one kind is never read as another. */
export type PositionTextKind = 'session' | 'watch';

const KIND_BYTE: Readonly<Record<PositionTextKind, number>> = { session: 1, watch: 2 };
const FORMAT = 1;
/** Format, kind, flags, 32 bits of what it belongs to, shard count as a power of two. */
const HEADER_BYTES = 8;
const CHECK_BYTES = 4;

/** Places in the logs of some shards, as text for people to carry around. */
export interface PositionText {
  readonly kind: PositionTextKind;
  /** Of a cluster, of a filter: a text of another one is refused. */
  readonly of32: number;
  readonly shardCount: number;
  /** There are more than the text had room for. */
  readonly partial: boolean;
  /** In order of shard. */
  readonly positions: readonly ShardAt[];
}

export interface ShardAt extends ShardPosition {
  readonly shard: ShardId;
}

export type PositionTextRead =
  | { readonly kind: 'read'; readonly text: PositionText }
  | { readonly kind: 'invalid'; readonly problem: string };

/** Bytes of one position; `gap` is the distance to the shard before it. */
export function positionBytes(gap: number, at: ShardPosition): number {
  return varintBytes(gap) + varintBytes(at.epoch) + varintBytes(at.index);
}

/** Bytes that go into text of so many characters, without what every text carries. */
export function roomIn(textLength: number): number {
  return Math.floor((textLength * 3) / 4) - HEADER_BYTES - CHECK_BYTES;
}

/** Letters, digits, `-` and `_` only, so that it survives headers and addresses. */
export function writePositionText(text: PositionText): string {
  const bytes: number[] = [FORMAT, KIND_BYTE[text.kind], text.partial ? 1 : 0];
  pushUint32(bytes, text.of32);
  bytes.push(31 - Math.clz32(text.shardCount));
  let previous = -1;
  for (const at of text.positions) {
    pushVarint(bytes, at.shard - previous - 1);
    pushVarint(bytes, at.epoch);
    pushVarint(bytes, at.index);
    previous = at.shard;
  }
  pushUint32(bytes, checkOf(bytes, bytes.length));
  return toBase64Url(bytes);
}

/** Never throws, whatever the text: people paste, cut and forge it. */
export function readPositionText(text: string, kind: PositionTextKind): PositionTextRead {
  const bytes = fromBase64Url(text);
  if (bytes === undefined || bytes.length < HEADER_BYTES + CHECK_BYTES) {
    return invalid('it is no text that memgrid made');
  }
  const end = bytes.length - CHECK_BYTES;
  if (readUint32(bytes, end) !== checkOf(bytes, end)) return invalid('it was cut or changed');
  if (bytes[0] !== FORMAT)
    return invalid(`its format is ${bytes[0]}, this version reads ${FORMAT}`);
  if (bytes[1] !== KIND_BYTE[kind]) return invalid('it belongs to something else');
  const shardCount = 2 ** (bytes[7] as number);
  if (shardCount > 4096) return invalid('it names more shards than a cluster has');
  const positions = readPositions(bytes, end, shardCount);
  if (positions === undefined) return invalid('its list of places does not end');
  const of32 = readUint32(bytes, 3);
  return {
    kind: 'read',
    text: { kind, of32, shardCount, partial: bytes[2] === 1, positions },
  };
}

function readPositions(
  bytes: readonly number[],
  end: number,
  shardCount: number,
): readonly ShardAt[] | undefined {
  const reader = new VarintReader(bytes, HEADER_BYTES, end);
  const positions: ShardAt[] = [];
  let previous = -1;
  while (reader.at < end) {
    const gap = reader.next();
    const epoch = reader.next();
    const index = reader.next();
    if (gap === undefined || epoch === undefined || index === undefined) return undefined;
    previous += 1 + gap;
    if (previous >= shardCount) return undefined;
    positions.push({ shard: previous as ShardId, epoch, index });
  }
  return positions;
}

function invalid(problem: string): PositionTextRead {
  return { kind: 'invalid', problem };
}

class VarintReader {
  readonly #bytes: readonly number[];
  readonly #end: number;
  at: number;

  constructor(bytes: readonly number[], at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  /** A whole number up to 2^53 - 1; undefined when there is none. */
  next(): number | undefined {
    let value = 0;
    let scale = 1;
    while (this.at < this.#end) {
      const byte = this.#bytes[this.at] as number;
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return Number.isSafeInteger(value) ? value : undefined;
      scale *= 0x80;
      if (scale > 2 ** 56) return undefined;
    }
    return undefined;
  }
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

function pushUint32(bytes: number[], value: number): void {
  bytes.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function readUint32(bytes: readonly number[], at: number): number {
  let value = 0;
  for (let i = 0; i < 4; i += 1) value = value * 256 + (bytes[at + i] as number);
  return value;
}

/** FNV-1a with murmur3's finaliser: against slips of the hand. It keeps no secret. */
function checkOf(bytes: readonly number[], end: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < end; at += 1) {
    hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUE_OF_CODE = new Int8Array(128).fill(-1);
for (let value = 0; value < LETTERS.length; value += 1) {
  VALUE_OF_CODE[LETTERS.charCodeAt(value)] = value;
}

function toBase64Url(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const word = (byteAt(bytes, at) << 16) | (byteAt(bytes, at + 1) << 8) | byteAt(bytes, at + 2);
    text += letter(word >>> 18) + letter(word >>> 12);
    if (left > 1) text += letter(word >>> 6);
    if (left > 2) text += letter(word);
  }
  return text;
}

function byteAt(bytes: readonly number[], at: number): number {
  return bytes[at] ?? 0;
}

function letter(value: number): string {
  return LETTERS[value & 0x3f] as string;
}

function fromBase64Url(text: string): number[] | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes: number[] = [];
  let word = 0;
  let bits = 0;
  for (let at = 0; at < text.length; at += 1) {
    const value = VALUE_OF_CODE[text.charCodeAt(at)] ?? -1;
    if (value < 0) return undefined;
    word = ((word << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((word >>> bits) & 0xff);
  }
  return bytes;
}
