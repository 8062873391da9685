/** Whole numbers of 32 bits that an operation id is held as. */
export const ID_WORDS = 4;

/**
 * Writes an operation id as four words: a quarter of the memory of its text.
 *
 * @param id a UUID, in lower case.
 */
export function writeIdWords(id: string, words: Uint32Array): void {
  words[0] = Number.parseInt(id.slice(0, 8), 16);
  words[1] = Number.parseInt(id.slice(9, 13) + id.slice(14, 18), 16);
  words[2] = Number.parseInt(id.slice(19, 23) + id.slice(24, 28), 16);
  words[3] = Number.parseInt(id.slice(28), 16);
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
