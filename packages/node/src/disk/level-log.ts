import { crc32c, unmasked } from './crc32c.ts';

/**
 * LevelDB's log format, which its manifest has too: blocks of 32 KiB, in each of them fragments
 * with a head of seven bytes (masked CRC-32C, length, type); a record is one fragment or several.
 */
const BLOCK_BYTES = 32 * 1024;
const HEAD_BYTES = 7;

export const TYPE = { full: 1, first: 2, middle: 3, last: 4 } as const;

export interface Fragment {
  /** Where its content begins. */
  readonly at: number;
  readonly length: number;
  readonly type: number;
}

/** The fragments of a log, in order. Behind a damaged one the rest of its block is lost. */
export function* fragmentsOf(bytes: Uint8Array): Generator<Fragment | 'damaged'> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let block = 0; block < bytes.byteLength; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, bytes.byteLength);
    let at = block;
    while (at + HEAD_BYTES <= end) {
      const length = view.getUint16(at + 4, true);
      const type = view.getUint8(at + 6);
      const content = at + HEAD_BYTES;
      const isWhole = content + length <= end;
      const isIntact =
        isWhole && crc32c(bytes, at + 6, content + length) === unmasked(view.getUint32(at, true));
      if (!isIntact) {
        yield 'damaged';
        break;
      }
      yield { at: content, length, type };
      at = content + length;
    }
  }
}

/** The whole records of a log; those with a damaged fragment are left out. */
export function* recordsOf(bytes: Uint8Array): Generator<Uint8Array> {
  let parts: Uint8Array[] | undefined;
  for (const fragment of fragmentsOf(bytes)) {
    if (fragment === 'damaged') {
      parts = undefined;
      continue;
    }
    const { at, length, type } = fragment;
    if (type === TYPE.full || type === TYPE.first) parts = [];
    if (parts === undefined) continue;
    parts.push(bytes.subarray(at, at + length));
    if (type !== TYPE.full && type !== TYPE.last) continue;
    yield Buffer.concat(parts);
    parts = undefined;
  }
}
