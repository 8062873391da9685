import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeStoredEntry, entryKey, MemoryEntryTable } from '@memgrid/core';
import type { StoredEntry } from '@memgrid/core';
import { isClusterError } from '@memgrid/protocol';
import type { ShardId } from '@memgrid/protocol';
import { Level } from 'level';
import { expect, onTestFinished, test } from 'vitest';
import { crc32c } from './crc32c.ts';
import { NodeStore } from './node-store.ts';

const ENTRIES = 2000;
const FLIPS = 80;
const SHARD = 1 as ShardId;

function directoryOf(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-tables-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function entryOf(number: number): StoredEntry {
  const state = Uint8Array.from({ length: 300 }, (_, i) => (number * 31 + i * i) & 0xff);
  return { at: { epoch: 1, index: number }, state };
}

/** A directory whose entries lie in tables, and the path of the largest. */
async function tablesOf(directory: string): Promise<string> {
  const store = await NodeStore.open(directory);
  for (let begin = 0; begin < ENTRIES; begin += 100) {
    await store.write(
      Array.from({ length: 100 }, (_, i) => ({
        kind: 'put',
        key: entryKey(SHARD, 0, `acme\0${begin + i}`),
        value: encodeStoredEntry(entryOf(begin + i)),
      })),
      false,
    );
  }
  await store.close();
  const database = new Level<string, Uint8Array>(path.join(directory, 'db'), {
    valueEncoding: 'view',
  });
  await database.open();
  await (database as unknown as { compactRange(from: string, to: string): Promise<void> }) //
    .compactRange('', '\uffff');
  await database.close();
  const tables = readdirSync(path.join(directory, 'db'))
    .filter((name) => name.endsWith('.ldb'))
    .map((name) => path.join(directory, 'db', name));
  return tables.sort((a, b) => statSync(b).size - statSync(a).size)[0] ?? '';
}

test('whatever bit flips in a table, no wrong value is ever believed', async () => {
  const intact = directoryOf();
  const table = await tablesOf(intact);
  const outcomes = { damagedEntries: 0, refused: 0, missing: 0 };
  for (let flip = 0; flip < FLIPS; flip += 1) {
    const directory = directoryOf();
    cpSync(intact, directory, { recursive: true });
    const file = path.join(directory, 'db', path.basename(table));
    const bytes = readFileSync(file);
    const at = Math.floor((bytes.length * (flip + 0.5)) / FLIPS);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (flip % 8));
    writeFileSync(file, bytes);
    const entries = new MemoryEntryTable();
    const store = await NodeStore.open(directory, entries).catch((error: unknown) => {
      if (!isClusterError(error, 'DIRECTORY_CORRUPT')) throw error;
      return undefined;
    });
    if (store === undefined) {
      outcomes.refused += 1;
      continue;
    }
    for (let number = 0; number < ENTRIES; number += 1) {
      const found = entries.get(SHARD, 0, `acme\0${number}`);
      if (typeof found === 'object') expect(found).toEqual(entryOf(number));
    }
    if (store.findings.length > 0) outcomes.damagedEntries += 1;
    else if (entries.count(SHARD, 0) < ENTRIES) outcomes.missing += 1;
    for (const finding of store.findings) expect(finding.kind).toBe('damagedEntry');
    await store.close();
  }
  // Most flips hit a value. None hides an entry without a word.
  expect(outcomes.damagedEntries).toBeGreaterThan(FLIPS / 2);
  expect(outcomes.refused).toBeGreaterThan(0);
  expect(outcomes.missing).toBe(0);
});

/** One record of LevelDB's log format, intact: masked checksum, length, type (whole), content. */
function recordOf(content: readonly number[]): Uint8Array {
  const bytes = Uint8Array.from([0, 0, 0, 0, content.length, 0, 1, ...content]);
  const crc = crc32c(bytes, 6, bytes.length);
  const masked = ((crc >>> 15) | (crc << 17)) + 0xa282ead8;
  new DataView(bytes.buffer).setUint32(0, masked >>> 0, true);
  return bytes;
}

test.each([
  { says: 'what no LevelDB says today', content: [77, 1] },
  { says: 'half of something', content: [2] },
])('a manifest that says $says is refused, not passed over', async ({ content }) => {
  const directory = directoryOf();
  await tablesOf(directory);
  const database = path.join(directory, 'db');
  const manifest = readFileSync(path.join(database, 'CURRENT'), 'utf8').trim();
  appendFileSync(path.join(database, manifest), recordOf(content));
  const error: unknown = await NodeStore.open(directory).catch((caught: unknown) => caught);
  if (!isClusterError(error, 'DIRECTORY_CORRUPT')) throw error;
  expect(error.details.problem).toBe(`db/${manifest} is damaged at byte 0`);
});

test('a whole record that says what is known is read on', async () => {
  const directory = directoryOf();
  await tablesOf(directory);
  const database = path.join(directory, 'db');
  const manifest = readFileSync(path.join(database, 'CURRENT'), 'utf8').trim();
  // "No log before this one".
  appendFileSync(path.join(database, manifest), recordOf([9, 0]));
  await (await NodeStore.open(directory)).close();
});
