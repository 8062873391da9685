/** What no node should send. */
export const FRAME_EXAMPLES: readonly (readonly [string, Uint8Array | string])[] = [
  ['text', 'hello'],
  ['no frame', new Uint8Array([1, 2, 3, 4, 5])],
  ['a frame that is cut short', new Uint8Array([0x4d, 0x47, 1, 0, 0, 0, 0, 9, 1])],
  ['a message that is no list', new Uint8Array([0x4d, 0x47, 1, 0, 0, 0, 0, 1, 0xc0])],
];
