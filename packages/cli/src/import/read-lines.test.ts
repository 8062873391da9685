import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readLines, type Line } from './read-lines.ts';

async function linesOf(chunks: readonly Uint8Array[]): Promise<readonly Line[]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const lines: Line[] = [];
  for await (const line of readLines(source())) lines.push(line);
  return lines;
}

function texts(lines: readonly Line[]): readonly string[] {
  return lines.map(({ content }) => (content.kind === 'text' ? content.text : content.problem));
}

test('lines are the same wherever the chunks are cut', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ' '));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 9 }), async (wanted, size) => {
      const bytes = Buffer.from(wanted.map((text) => `${text}\n`).join(''));
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      const lines = await linesOf(chunks);
      expect(texts(lines)).toEqual(wanted);
      expect(lines.map(({ number }) => number)).toEqual(wanted.map((_, at) => at + 1));
      if (lines.length > 0) expect(lines.at(-1)?.bytes).toBe(bytes.length);
    }),
  );
});

test('the last line may lack its end, and a carriage return is no part of a line', async () => {
  expect(texts(await linesOf([Buffer.from('a\r\nb')]))).toEqual(['a', 'b']);
});

test('a line that is too long is a problem, and the next one is read', async () => {
  const chunk = Buffer.alloc(600_000, 'x');
  const lines = await linesOf([chunk, chunk, Buffer.from('\nnext\n')]);
  expect(texts(lines)).toEqual(['The line has 1200000 bytes; at most 1048576 are read.', 'next']);
});

test('a line that is no UTF-8 is a problem, and the next one is read', async () => {
  const lines = await linesOf([Buffer.from([0xff, 0x0a]), Buffer.from('next\n')]);
  expect(texts(lines)).toEqual(['The line is no UTF-8.', 'next']);
});
