import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { closeDevDirectory, nodeDirectory, openDevDirectory } from './dev-directory.ts';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function emptyDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-test-'));
  made.push(directory);
  return directory;
}

test('without --data everything is temporary and gone at the end', () => {
  const directory = openDevDirectory({ data: undefined, fresh: false, nodes: 3 });
  mkdirSync(nodeDirectory(directory, 'n1'));
  expect(directory.temporary).toBe(true);
  closeDevDirectory(directory);
  expect(existsSync(directory.path)).toBe(false);
});

test('with --data the nodes are still there next time', () => {
  const data = path.join(emptyDirectory(), 'grid');
  const first = openDevDirectory({ data, fresh: false, nodes: 3 });
  mkdirSync(nodeDirectory(first, 'n1'));
  closeDevDirectory(first);
  const second = openDevDirectory({ data, fresh: false, nodes: 3 });
  expect(second.formerNodes).toBe(3);
  expect(existsSync(nodeDirectory(second, 'n1'))).toBe(true);
});

test('--fresh forgets the nodes and nothing else', () => {
  const data = emptyDirectory();
  const first = openDevDirectory({ data, fresh: false, nodes: 2 });
  mkdirSync(nodeDirectory(first, 'n2'));
  writeFileSync(path.join(data, 'notes.txt'), 'mine');
  const second = openDevDirectory({ data, fresh: true, nodes: 2 });
  expect(existsSync(nodeDirectory(second, 'n2'))).toBe(false);
  expect(existsSync(path.join(data, 'notes.txt'))).toBe(true);
});

test('a directory of somebody else is refused, also with --fresh', () => {
  const data = emptyDirectory();
  writeFileSync(path.join(data, 'thesis.txt'), 'not ours');
  for (const fresh of [false, true]) {
    expect(() => openDevDirectory({ data, fresh, nodes: 3 })).toThrow('was not made by');
  }
  expect(existsSync(path.join(data, 'thesis.txt'))).toBe(true);
});

test('fewer nodes than the cluster has could never have a majority', () => {
  const data = emptyDirectory();
  openDevDirectory({ data, fresh: false, nodes: 5 });
  expect(() => openDevDirectory({ data, fresh: false, nodes: 3 })).toThrow('cluster of 5 nodes');
});

test.each([
  { name: 'a file', data: (root: string) => path.join(root, 'file') },
  { name: 'below a file', data: (root: string) => path.join(root, 'file', 'grid') },
])('--data that is $name is refused in a sentence', ({ data }) => {
  const root = emptyDirectory();
  writeFileSync(path.join(root, 'file'), '');
  expect(() => openDevDirectory({ data: data(root), fresh: false, nodes: 3 })).toThrow(
    expect.objectContaining({
      code: 'BAD_DIRECTORY',
      exitCode: 2,
      message: expect.stringContaining('is a file') as string,
    }) as Error,
  );
});

test.runIf(process.platform === 'linux')('--data where nothing can be made ends, too', () => {
  expect(() => openDevDirectory({ data: '/proc/memgrid-test', fresh: false, nodes: 3 })).toThrow(
    'ENOENT',
  );
});

test('--fresh needs a --data to empty', () => {
  expect(() => openDevDirectory({ data: undefined, fresh: true, nodes: 3 })).toThrow('--data');
});
