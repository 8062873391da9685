import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { benchDataset } from './bench-dataset.ts';

function fileOf(text: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-turns-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'turns.ndjson');
  writeFileSync(file, text);
  return file;
}

test.each(['100', '1024', '16384'] as const)('texts of %s bytes have so many', async (size) => {
  const dataset = await benchDataset({ size, count: 200 });
  expect(dataset).toMatchObject({ size, source: 'synthetic', count: 200, scopes: 2 });
  for (const n of [0, 7, 199]) {
    expect(Buffer.byteLength(dataset.entry(n).content)).toBe(Number(size));
  }
  expect(dataset.entry(0).content).not.toBe(dataset.entry(1).content);
});

test('turns have about 250 bytes with their metadata, as those of real conversations', async () => {
  const dataset = await benchDataset({ size: 'turns' });
  expect(dataset).toMatchObject({ source: 'sample', count: 10_000, scopes: 100 });
  expect(dataset.bytesMean).toBeGreaterThan(200);
  expect(dataset.bytesMean).toBeLessThan(300);
});

test('an entry, its key, its text and its number are those of one entry', async () => {
  const dataset = await benchDataset({ size: 'turns', count: 300 });
  const { id, userId, content, metadata } = dataset.entry(123);
  expect(userId).toBe(dataset.entry(100).userId);
  expect(userId).not.toBe(dataset.entry(99).userId);
  expect(dataset.key(123)).toBe(`${userId}:${id}`);
  expect(JSON.parse(dataset.text(123))).toEqual({ content, metadata });
  expect(dataset.numberOf(id)).toBe(123);
  expect(dataset.numberOf('stranger')).toBeUndefined();
  expect(() => dataset.entry(300)).toThrow('There are 300 entries, and no 300.');
});

test('a count is rounded up to whole scopes', async () => {
  expect((await benchDataset({ size: '100', count: 101 })).count).toBe(200);
});

test('a file of turns is read, and used again from its beginning', async () => {
  const turnsFile = fileOf(
    '{"speaker": "Ada", "text": "One.", "session": 3, "odd": [1]}\n\n{"text": "Two."}\n',
  );
  const dataset = await benchDataset({ size: 'turns', count: 100, turnsFile });
  expect(dataset.source).toBe('file');
  expect(dataset.entry(2)).toMatchObject({
    content: 'One.',
    metadata: { speaker: 'Ada', session: 3 },
  });
  expect(dataset.entry(2).metadata).not.toHaveProperty('odd');
  expect(dataset.entry(3).content).toBe('Two.');
});

test.each([
  ['', 'has no line'],
  ['{"text": "One."}\nnonsense\n', 'line 2 is no object with a text'],
  ['{"speaker": "Ada"}\n', 'line 1 is no object with a text'],
  ['[]\n', 'line 1 is no object with a text'],
])('a file with %j is refused', async (text, problem) => {
  const turnsFile = fileOf(text);
  await expect(benchDataset({ size: 'turns', turnsFile })).rejects.toMatchObject({
    code: 'BAD_DATASET',
    message: `${turnsFile} ${problem}.`,
  });
});

test('a file that is not there is named', async () => {
  const turnsFile = path.join(tmpdir(), 'no-such-folder', 'turns.ndjson');
  await expect(benchDataset({ size: 'turns', turnsFile })).rejects.toMatchObject({
    code: 'BAD_DATASET',
    message: expect.stringContaining('cannot be read: ENOENT') as string,
  });
});
