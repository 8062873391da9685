import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileSink } from './file-sink.ts';

function fileOf(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'memgrid-sink-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, name);
}

test('what was written is in the file once it is closed, and appended to the next time', async () => {
  const path = fileOf('lines');
  for (const line of ['a\n', 'b\n']) {
    const sink = await FileSink.open(path, 'a');
    sink.write(line);
    await sink.drained();
    await sink.close();
  }
  expect(readFileSync(path, 'utf8')).toBe('a\nb\n');
});

test('more than the stream wants to hold is waited for', async () => {
  const path = fileOf('lines');
  const sink = await FileSink.open(path, 'w');
  const chunk = 'x'.repeat(100_000);
  for (let count = 0; count < 20; count++) {
    sink.write(chunk);
    await sink.drained();
  }
  await sink.close();
  await sink.close();
  expect(readFileSync(path).length).toBe(2_000_000);
});

test('a file that cannot be opened is named', async () => {
  await expect(FileSink.open(fileOf('no/such/place'), 'w')).rejects.toMatchObject({
    code: 'FILE_NOT_WRITTEN',
    message: expect.stringContaining('no/such/place') as string,
  });
});

test('a disk that is full is told, and ends nothing else', async () => {
  const sink = await FileSink.open('/dev/full', 'w');
  sink.write('x'.repeat(100_000));
  await expect(sink.drained().then(() => sink.close())).rejects.toMatchObject({
    code: 'FILE_NOT_WRITTEN',
  });
});
