/**
 * Room that small copies share. A byte array with memory of its own costs about as much as decoding
 * everything else about a small message, most of it in the garbage collector.
 *
 * Whoever keeps one copy keeps its whole block, so this is for values that are used up within
 * moments. The block bounds what somebody else can make us hold by such a value.
 */
const BLOCK_BYTES = 8192;
const SHARED_BYTES_MAX = 1024;

let block = new Uint8Array(BLOCK_BYTES);
let used = 0;

/** The same bytes, in memory that is not written to again. */
export function copyIntoBlock(bytes: Uint8Array): Uint8Array {
  const room = roomInBlock(bytes.length);
  room.set(bytes);
  return room;
}

/** Room for so many bytes, for whoever asked to fill at once. */
export function roomInBlock(length: number): Uint8Array {
  if (length > SHARED_BYTES_MAX) return new Uint8Array(length);
  if (used + length > BLOCK_BYTES) {
    block = new Uint8Array(BLOCK_BYTES);
    used = 0;
  }
  used += length;
  return block.subarray(used - length, used);
}
