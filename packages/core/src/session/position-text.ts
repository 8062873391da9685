import { opaqueRoom, readOpaque, writeOpaque } from '@memgrid/protocol';
import type { ShardId, ShardPosition } from '@memgrid/protocol';

/** Flags, 32 bits of what it belongs to, shard count as a power of two. */
const HEADER_BYTES = 6;

/** Places in the logs of some shards, as text for people to carry around. */
export interface PositionText {
  readonly kind: 'session' | 'watch';
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
export function roomIn(charsMax: number): number {
  return opaqueRoom(charsMax) - HEADER_BYTES;
}

export function writePositionText(text: PositionText): string {
  const bytes: number[] = [text.partial ? 1 : 0];
  for (let shift = 24; shift >= 0; shift -= 8) bytes.push((text.of32 >>> shift) & 0xff);
  bytes.push(31 - Math.clz32(text.shardCount));
  let previous = -1;
  for (const at of text.positions) {
    pushVarint(bytes, at.shard - previous - 1);
    pushVarint(bytes, at.epoch);
    pushVarint(bytes, at.index);
    previous = at.shard;
  }
  return writeOpaque(text.kind, Uint8Array.from(bytes));
}

/** Never throws, whatever the text: people paste, cut and forge it. */
export function readPositionText(text: string, kind: PositionText['kind']): PositionTextRead {
  const read = readOpaque(kind, text);
  if (read.kind === 'invalid') return read;
  const { bytes } = read;
  if (bytes.length < HEADER_BYTES) return invalid('it is too short');
  const shardBits = bytes[5] as number;
  if (shardBits > 12) return invalid('it names more shards than a cluster has');
  const shardCount = 2 ** shardBits;
  const positions = readPositions(bytes, shardCount);
  if (positions === undefined) return invalid('its list of places makes no sense');
  let of32 = 0;
  for (let at = 1; at < 5; at += 1) of32 = of32 * 256 + (bytes[at] as number);
  return {
    kind: 'read',
    text: { kind, of32, shardCount, partial: bytes[0] === 1, positions },
  };
}

function readPositions(bytes: Uint8Array, shardCount: number): readonly ShardAt[] | undefined {
  const reader = new VarintReader(bytes, HEADER_BYTES);
  const positions: ShardAt[] = [];
  let previous = -1;
  while (reader.at < bytes.length) {
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
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** A whole number up to 2^53 - 1; undefined when there is none. */
  next(): number | undefined {
    let value = 0;
    let scale = 1;
    while (this.at < this.#bytes.length) {
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
