import { expect, test } from 'vitest';
import { readRepositoryFile, repositoryFiles } from './repository.ts';
import { isSource } from './source-rules.ts';

/** The aim; a bigger file is a place to ask whether two things live there. */
const LINES_AIM = 400;
/** Nobody reads a file this long. */
const LINES_MAX = 600;
/** Two printed pages. */
const DESIGN_WORDS_MAX = 1_300;

/** Lines that carry code: comments and blanks explain, so they do not count against a file. */
function codeLines(source: string): number {
  return source.split('\n').filter((line) => line.trim() !== '' && !/^\s*(\/\/|\/\*|\*)/.test(line))
    .length;
}

test('no source file is longer than anybody reads, and the long ones are listed', (context) => {
  const sizes = repositoryFiles()
    .filter(isSource)
    .map((path) => ({ path, lines: codeLines(readRepositoryFile(path)) }))
    .filter(({ lines }) => lines > LINES_AIM)
    .sort((a, b) => b.lines - a.lines);
  for (const { path, lines } of sizes) void context.annotate(`${path}: ${lines} lines`, 'notice');
  expect(sizes.filter(({ lines }) => lines > LINES_MAX)).toEqual([]);
});

test.each(repositoryFiles().filter((path) => path.endsWith('DESIGN.md')))(
  '%s fits on two pages',
  (path) => {
    const words = readRepositoryFile(path).split(/\s+/).length;
    expect(words).toBeLessThanOrEqual(DESIGN_WORDS_MAX);
  },
);

test('comments and blank lines are not counted', () => {
  expect(codeLines('/** Why. */\n\n// Why.\nconst x = 1;\n/*\n * Why.\n */\n')).toBe(1);
});
