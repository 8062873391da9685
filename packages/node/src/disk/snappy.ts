import { ByteReader } from './byte-reader.ts';

const TAG = { literal: 0, copyNear: 1, copy: 2, copyFar: 3 } as const;

/**
 * The bytes that Snappy packed (its "format description", version of 2011): a length, then
 * literals and copies of what came before.
 *
 * @throws RangeError for bytes that are not packed by it.
 */
export function unpackSnappy(packed: Uint8Array): Uint8Array {
  const reader = new ByteReader(packed);
  const length = reader.varint();
  // Nothing is packed better than about twenty to one.
  if (length > 64 * packed.byteLength) throw new RangeError('The length is out of proportion.');
  const bytes = new Uint8Array(length);
  let at = 0;
  while (!reader.isAtEnd) {
    const tag = reader.byte();
    if ((tag & 3) === TAG.literal) {
      const literal = reader.take(literalLength(tag >>> 2, reader));
      bytes.set(literal, at);
      at += literal.byteLength;
    } else {
      const { size, distance } = copyOf(tag, reader);
      if (distance === 0 || distance > at || at + size > length) {
        throw new RangeError('A copy is out of bounds.');
      }
      // Byte by byte: a copy may run into what it writes.
      for (const end = at + size; at < end; at += 1) bytes[at] = bytes[at - distance] as number;
    }
  }
  if (at !== length) throw new RangeError('There is less than was announced.');
  return bytes;
}

function literalLength(bits: number, reader: ByteReader): number {
  if (bits < 60) return bits + 1;
  return littleEndian(bits - 59, reader) + 1;
}

function copyOf(tag: number, reader: ByteReader): { size: number; distance: number } {
  if ((tag & 3) === TAG.copyNear) {
    return { size: ((tag >>> 2) & 7) + 4, distance: ((tag >>> 5) << 8) | reader.byte() };
  }
  const bytes = (tag & 3) === TAG.copy ? 2 : 4;
  return { size: (tag >>> 2) + 1, distance: littleEndian(bytes, reader) };
}

function littleEndian(bytes: number, reader: ByteReader): number {
  let value = 0;
  for (let i = 0; i < bytes; i += 1) value += reader.byte() * 2 ** (8 * i);
  return value;
}
