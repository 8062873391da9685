/** Whole numbers of 32 bits that an operation id is held as. */
export const ID_WORDS = 4;

/**
 * Writes an operation id as four words: a quarter of the memory of its text.
 *
 * @param id a UUID, in lower case.
 */
export function writeIdWords(id: string, words: Uint32Array): void {
  words[0] = hexAt(id, 0, 8, 0);
  words[1] = hexAt(id, 14, 18, hexAt(id, 9, 13, 0));
  words[2] = hexAt(id, 24, 28, hexAt(id, 19, 23, 0));
  words[3] = hexAt(id, 28, 36, 0);
}

/** Digit by digit: cut into pieces first, every write would leave seven texts behind. */
function hexAt(id: string, from: number, to: number, before: number): number {
  let word = before;
  for (let at = from; at < to; at += 1) {
    const unit = id.charCodeAt(at);
    // '0' to '9', or 'a' to 'f'.
    word = (word << 4) | (unit <= 0x39 ? unit - 0x30 : unit - 0x57);
  }
  return word >>> 0;
}

/** The operation id whose words begin at `from`. */
export function readIdWords(words: Uint32Array, from: number): string {
  const hex = (at: number): string => (words[from + at] as number).toString(16).padStart(8, '0');
  const [second, third] = [hex(1), hex(2)];
  return `${hex(0)}-${second.slice(0, 4)}-${second.slice(4)}-${third.slice(0, 4)}-${third.slice(4)}${hex(3)}`;
}

/** When the operation id was made, in milliseconds since 1970: its first 48 bits. */
export function msOfIdWords(words: Uint32Array, from = 0): number {
  return (words[from] as number) * 0x10000 + ((words[from + 1] as number) >>> 16);
}
