import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectory } from './make-directory.ts';

test('what is missing above is made too, and a second time is fine', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'memgrid-test-'));
  try {
    const directory = path.join(root, 'a', 'b', 'c');
    await makeDirectory(directory);
    await makeDirectory(directory);
    expect((await stat(directory)).isDirectory()).toBe(true);
    expect((await stat(path.join(root, 'a'))).mode & 0o777).toBe(0o700);
  } finally {
    await rm(root, { recursive: true });
  }
});

test('below a file: the system says why', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'memgrid-test-'));
  try {
    await writeFile(path.join(root, 'file'), '');
    await expect(makeDirectory(path.join(root, 'file', 'a'))).rejects.toThrow('ENOTDIR');
  } finally {
    await rm(root, { recursive: true });
  }
});

test.runIf(process.platform === 'linux')(
  'where the system refuses to make anything it ends, too',
  async () => {
    await expect(makeDirectory('/proc/memgrid-test/data')).rejects.toThrow('ENOENT');
  },
);
