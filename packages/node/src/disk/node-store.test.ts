import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { isClusterError } from '@memgrid/protocol';
import { Level } from 'level';
import { expect, onTestFinished, test } from 'vitest';
import { sealed, unsealed } from './checksum.ts';
import { openError } from './disk-error.ts';
import type { RecordOperation } from './group-commit.ts';
import { NodeStore } from './node-store.ts';

function directoryOf(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-store-'));
  onTestFinished(() => {
    chmodSync(directory, 0o700);
    rmSync(directory, { recursive: true });
  });
  return directory;
}

async function withDatabase(
  directory: string,
  change: (database: Level<string, Uint8Array>) => Promise<void>,
): Promise<void> {
  const database = new Level<string, Uint8Array>(path.join(directory, 'db'), {
    valueEncoding: 'view',
  });
  await database.open();
  await change(database);
  await database.close();
}

async function errorOf(opening: Promise<NodeStore>): Promise<unknown> {
  return await opening.then(
    async (store) => {
      await store.close();
      return undefined;
    },
    (error: unknown) => error,
  );
}

const value = Uint8Array.of(1, 2, 3);

test('records come back as they were written, sorted by key', async () => {
  const directory = path.join(directoryOf(), 'deeper', 'still');
  const first = await NodeStore.open(directory);
  expect(first.records.size).toBe(0);
  await first.write(
    [
      { kind: 'put', key: 'log/2', value },
      { kind: 'put', key: 'identity', value: new Uint8Array(0) },
      { kind: 'put', key: 'log/1', value },
      { kind: 'delete', key: 'log/2' },
    ],
    true,
  );
  await first.close();
  const second = await NodeStore.open(directory);
  expect([...second.records]).toEqual([
    ['identity', new Uint8Array(0)],
    ['log/1', value],
  ]);
  await second.close();
});

test('a directory in use is refused by name, with the process that uses it', async () => {
  const directory = directoryOf();
  const store = await NodeStore.open(directory);
  const error = await errorOf(NodeStore.open(directory));
  if (!isClusterError(error, 'DIRECTORY_LOCKED')) throw error;
  expect(error.details).toEqual({ directory, pid: process.pid });
  expect(error.message).toContain(`used by process ${process.pid} on ${hostname()}, started `);
  await store.close();
  expect(existsSync(path.join(directory, 'memgrid.pid'))).toBe(false);
  expect(await errorOf(NodeStore.open(directory))).toBeUndefined();
});

test('the note of a process that was killed locks nothing', async () => {
  const directory = directoryOf();
  writeFileSync(
    path.join(directory, 'memgrid.pid'),
    '{"pid": 1, "host": "h", "startedAt": "then"}',
  );
  expect(await errorOf(NodeStore.open(directory))).toBeUndefined();
});

test('a damaged database is refused with what to do', async () => {
  const directory = directoryOf();
  await (await NodeStore.open(directory)).close();
  const manifest = readdirSync(path.join(directory, 'db')).find((name) =>
    name.startsWith('MANIFEST'),
  );
  writeFileSync(path.join(directory, 'db', manifest ?? ''), 'this is no manifest');
  const error = await errorOf(NodeStore.open(directory));
  if (!isClusterError(error, 'DIRECTORY_CORRUPT')) throw error;
  expect(error.details.directory).toBe(directory);
  expect(error.message).toMatch(/can not be read back .* Keep a copy for diagnosis, then empty/);
});

test('a record whose bytes changed is refused by its key', async () => {
  const directory = directoryOf();
  const store = await NodeStore.open(directory);
  await store.write([{ kind: 'put', key: 'vote', value }], true);
  await store.close();
  await withDatabase(directory, async (database) => {
    const bytes = await database.get('control/vote');
    bytes[1] = (bytes[1] ?? 0) ^ 0x10;
    await database.put('control/vote', bytes);
  });
  const error = await errorOf(NodeStore.open(directory));
  if (!isClusterError(error, 'DIRECTORY_CORRUPT')) throw error;
  expect(error.details.problem).toBe('the record "control/vote" is damaged');
});

test.each([
  [
    'a later layout',
    'meta/layout',
    sealed('meta/layout', Uint8Array.of(9)),
    /has layout 9; .*up to 3/,
  ],
  ['a damaged layout record', 'meta/layout', Uint8Array.of(1), /its layout record is damaged/],
  ['a database of somebody else', 'photos/1', value, /memgrid did not write.*"photos\/1"/],
])('%s is refused', async (_name, key, bytes, wanted) => {
  const directory = directoryOf();
  await withDatabase(directory, async (database) => await database.put(key, bytes));
  const error = await errorOf(NodeStore.open(directory));
  if (!isClusterError(error, 'DIRECTORY_CORRUPT')) throw error;
  expect(error.message).toMatch(wanted);
});

test('a file where the directory should be is a problem of the configuration', async () => {
  const directory = path.join(directoryOf(), 'file');
  writeFileSync(directory, '');
  for (const place of [directory, path.join(directory, 'below')]) {
    const error = await errorOf(NodeStore.open(place));
    if (!isClusterError(error, 'BAD_CONFIGURATION')) throw error;
    expect(error.message).toContain(
      `data (${place}) can not be used: it, or a directory above it, is`,
    );
  }
});

// The administrator may write anywhere, so there the system does not refuse.
test.skipIf(process.getuid?.() === 0)('an unwritable directory says so', async () => {
  const directory = directoryOf();
  chmodSync(directory, 0o500);
  const error = await errorOf(NodeStore.open(path.join(directory, 'data')));
  if (!isClusterError(error, 'BAD_CONFIGURATION')) throw error;
  expect(error.message).toMatch(/this user may not write there \(EACCES\)/);
});

test.each<[{ code: string; message?: string }, RegExp]>([
  [{ code: 'ENOSPC' }, /there is no space left \(ENOSPC\)/],
  [{ code: 'LEVEL_IO_ERROR', message: 'IO error: No space left on device' }, /ENOSPC/],
  [{ code: 'LEVEL_IO_ERROR', message: 'IO error: LOCK: Permission denied' }, /EACCES/],
  [{ code: 'EROFS' }, /may not write there \(EROFS\)/],
  [{ code: 'EWEIRD', message: 'something odd.' }, /can not be used: something odd\. Choose/],
])('%j becomes a sentence for an operator', (cause, wanted) => {
  const inner = Object.assign(new Error(cause.message ?? ''), { code: cause.code });
  const outer = Object.assign(new Error('Database failed to open', { cause: inner }), {
    code: 'LEVEL_DATABASE_NOT_OPEN',
  });
  expect(openError('/data', outer).message).toMatch(wanted);
});

test('a sealed value opens only under its own key and unchanged', () => {
  const bytes = sealed('a', value);
  expect(unsealed('a', bytes)).toEqual(value);
  expect(unsealed('b', bytes)).toBeUndefined();
  expect(unsealed('a', bytes.slice(0, 6))).toBeUndefined();
  expect(unsealed('a', Uint8Array.of(1))).toBeUndefined();
});

test('values of every size lie on the disk as they were written, also many at once', async () => {
  const directory = directoryOf();
  const sizes = [0, 1, 4_091, 4_092, 4_093, 100_000, 7];
  const operations = sizes.map((size): RecordOperation => {
    return { kind: 'put', key: `node/${size}`, value: new Uint8Array(size).fill(size & 0xff) };
  });
  const store = await NodeStore.open(directory);
  await store.write([...operations, { kind: 'delete', key: 'node/7' }], false);
  await store.write([], true);
  await store.close();
  const again = await NodeStore.open(directory);
  onTestFinished(() => again.close());
  const found = new Map(again.records);
  expect(found.size).toBe(sizes.length - 1);
  for (const size of sizes.slice(0, -1)) {
    expect(found.get(`node/${size}`)).toEqual(new Uint8Array(size).fill(size & 0xff));
  }
});
