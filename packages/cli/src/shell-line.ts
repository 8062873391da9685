/** Words as a line that a POSIX shell reads as exactly these words. */
export function shellLine(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

/** Nothing in these means anything to a shell. */
const PLAIN = /^[\w@%+=:,./-]+$/;

function quoted(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
