/** Whole numbers of 32 bits that an operation id is held as. */
export const ID_WORDS = 4;

const ID_LENGTH = 36;
const DASH = 0x2d;
const VERSION_7 = 0x7;

/**
 * Writes an operation id as four words: a quarter of the memory of its text.
 *
 * @returns whether `id` is one: a UUID of version 7, in lower case. `words` are undefined if not.
 */
export function writeIdWords(id: string, words: Uint32Array): boolean {
  // What is remembered is written to the disk as well, one right after the other.
  if (id !== latest.id) {
    latest.id = readWords(id, latest.words) ? id : undefined;
    if (latest.id === undefined) return false;
  }
  for (let at = 0; at < ID_WORDS; at += 1) words[at] = latest.words[at] as number;
  return true;
}

/** The last id that was read, so that the next one who asks for it does not read it again. */
const latest: { id: string | undefined; readonly words: Uint32Array } = {
  id: undefined,
  words: new Uint32Array(ID_WORDS),
};

function readWords(id: string, words: Uint32Array): boolean {
  if (id.length !== ID_LENGTH || !hasDashes(id)) return false;
  words.fill(0);
  const digits =
    hexAt(id, words, 0, 0, 8) &&
    hexAt(id, words, 1, 9, 13) &&
    hexAt(id, words, 1, 14, 18) &&
    hexAt(id, words, 2, 19, 23) &&
    hexAt(id, words, 2, 24, 28) &&
    hexAt(id, words, 3, 28, 36);
  // The version is the first digit of the third group, the variant the upper half of the fourth's.
  return (
    digits &&
    (((words[1] as number) >>> 12) & 0xf) === VERSION_7 &&
    (words[2] as number) >>> 30 === 2
  );
}

function hasDashes(id: string): boolean {
  return (
    id.charCodeAt(8) === DASH &&
    id.charCodeAt(13) === DASH &&
    id.charCodeAt(18) === DASH &&
    id.charCodeAt(23) === DASH
  );
}

/**
 * Shifts digits into a word, digit by digit: cut into pieces first, every write would leave seven
 * texts behind.
 *
 * @returns whether all of them are digits.
 */
function hexAt(id: string, words: Uint32Array, at: number, from: number, to: number): boolean {
  let word = words[at] as number;
  let wrong = 0;
  for (let place = from; place < to; place += 1) {
    const unit = id.charCodeAt(place);
    // Without a branch for digits and one for letters: nobody could guess which comes next.
    const digit = DIGITS[unit & 0x7f] as number;
    word = (word << 4) | (digit & 0xf);
    wrong |= (digit >>> 4) | (unit >>> 7);
  }
  words[at] = word;
  return wrong === 0;
}

const NO_DIGIT = 0x10;
/** The values of '0' to '9' and 'a' to 'f', by their code units. */
const DIGITS = new Uint8Array(0x80).fill(NO_DIGIT);
for (let digit = 0; digit < 16; digit += 1) DIGITS[digit.toString(16).charCodeAt(0)] = digit;

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

const read = new Uint32Array(ID_WORDS);

/** When the operation id was made, in milliseconds since 1970; undefined for any other text. */
export function operationMs(id: string): number | undefined {
  return writeIdWords(id, read) ? msOfIdWords(read) : undefined;
}
