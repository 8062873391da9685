import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellLine } from './shell-line.ts';

test.each([
  { words: ['put', '--user', 'ada'], line: 'put --user ada' },
  { words: ['put', 'prefers tabs'], line: "put 'prefers tabs'" },
  { words: ['put', "it's"], line: String.raw`put 'it'\''s'` },
  { words: ['put', ''], line: "put ''" },
])('$words is typed as $line', ({ words, line }) => {
  expect(shellLine(words)).toBe(line);
});

test('a shell reads the same words again', () => {
  const word = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
      const script = `for word in ${shellLine(words)}; do printf '%s\\0' "$word"; done`;
      const read = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
      expect(read.split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 20 },
  );
});
