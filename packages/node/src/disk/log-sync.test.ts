import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LogSync } from './log-sync.ts';
import { WRITE_BUFFER_BYTES } from './write-buffer.ts';

const MIB = 1024 * 1024;

/** A database directory with logs of these sizes. */
function logsOf(...sizes: readonly number[]): LogSync {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-sync-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(path.join(directory, '000002.ldb'), '');
  for (const [at, size] of sizes.entries()) {
    writeFileSync(path.join(directory, `00000${3 + at}.log`), new Uint8Array(size));
  }
  return new LogSync(directory);
}

test.each([
  { name: 'one young log', sizes: [MIB], synced: [] },
  {
    name: 'one that may end with the next write',
    sizes: [WRITE_BUFFER_BYTES / 2],
    synced: ['000003.log'],
  },
  {
    name: 'one that has just ended',
    sizes: [WRITE_BUFFER_BYTES, 100],
    synced: ['000003.log', '000004.log'],
  },
  { name: 'no log', sizes: [], synced: [] },
])('before a synced write behind others, $name: $synced', async ({ sizes, synced }) => {
  const logSync = logsOf(...sizes);
  logSync.wroteUnsynced();
  expect(await logSync.beforeSynced()).toEqual(synced);
  // Once is enough, until something is written without a sync again.
  expect(await logSync.beforeSynced()).toEqual([]);
});

test('when every write before was synced, nothing is left to do', async () => {
  expect(await logsOf(WRITE_BUFFER_BYTES, 100).beforeSynced()).toEqual([]);
});
