import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isClusterError } from '@memgrid/protocol';
import { Level } from 'level';
import { expect, onTestFinished, test } from 'vitest';
import { crc32c } from './crc32c.ts';
import { NodeStore } from './node-store.ts';
import { holeInLogs } from './write-ahead-logs.ts';

test('the checksum is CRC-32C', () => {
  const of = (bytes: Uint8Array): string => crc32c(bytes, 0, bytes.length).toString(16);
  // The vectors of RFC 3720, appendix B.4, and the usual check value.
  expect(of(new Uint8Array(32))).toBe('8a9136aa');
  expect(of(new Uint8Array(32).fill(0xff))).toBe('62a8ab43');
  expect(of(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe('46dd794e');
  expect(of(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe('113fdb5c');
  expect(of(Buffer.from('123456789'))).toBe('e3069283');
});

function directoryOf(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-logs-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A directory whose database was left with a log of this many batches. */
async function writtenDirectory(batches: number, bytes: number): Promise<string> {
  const directory = directoryOf();
  const store = await NodeStore.open(directory);
  for (let i = 0; i < batches; i += 1) {
    const value = new Uint8Array(bytes).fill(i);
    await store.write([{ kind: 'put', key: `raft/log/${i}`, value }], false);
  }
  await store.close();
  return directory;
}

function logOf(directory: string): string {
  const name = readdirSync(path.join(directory, 'db')).find((one) => one.endsWith('.log'));
  return path.join(directory, 'db', name ?? 'no log');
}

test.each([
  { batches: 200, bytes: 100 },
  // Larger than a block of the log, so in several records; smaller, with heads split anywhere.
  { batches: 20, bytes: 70_000 },
  { batches: 3000, bytes: 23 },
])('$batches batches of $bytes bytes have no hole', async ({ batches, bytes }) => {
  const directory = await writtenDirectory(batches, bytes);
  expect(await holeInLogs(path.join(directory, 'db'))).toBeUndefined();
  const store = await NodeStore.open(directory);
  expect(store.records.size).toBe(batches);
  await store.close();
});

test('wherever a bit flips, either nothing but the end is lost, or the hole is found', async () => {
  const batches = 400;
  const directory = await writtenDirectory(batches, 300);
  const log = logOf(directory);
  const intact = readFileSync(log);
  for (let round = 0; round < 60; round += 1) {
    const at = Math.floor((intact.length * (round + 0.5)) / 60);
    const bytes = Buffer.from(intact);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (round % 8));
    writeFileSync(log, bytes);
    const hole = await holeInLogs(path.join(directory, 'db'));
    // Damage takes the rest of its block with it; only in the last block nothing is behind it.
    if (intact.length - at > 32 * 1024) expect(hole?.missingOperations).toBeGreaterThan(0);
  }
});

test('a hole is refused before the evidence is gone', async () => {
  const directory = await writtenDirectory(400, 300);
  const log = logOf(directory);
  const bytes = readFileSync(log);
  bytes[5000] = (bytes[5000] ?? 0) ^ 1;
  writeFileSync(log, bytes);
  for (let round = 0; round < 2; round += 1) {
    const error: unknown = await NodeStore.open(directory).catch((caught: unknown) => caught);
    if (!isClusterError(error, 'DIRECTORY_CORRUPT')) throw error;
    expect(error.details.problem).toMatch(
      /^its write-ahead log has a hole: \d+ operations are missing before byte \d+ of db\/\d+\.log$/,
    );
  }
  expect(readFileSync(log)).toEqual(bytes);
});

test('a torn end is what a power cut leaves, and is no hole', async () => {
  const directory = await writtenDirectory(400, 300);
  const log = logOf(directory);
  const { length } = readFileSync(log);
  truncateSync(log, length - 150);
  const store = await NodeStore.open(directory);
  expect(store.records.size).toBe(399);
  await store.close();
});

test('a log that misses its end, while the next one goes on, is a hole', async () => {
  const directory = path.join(await writtenDirectory(400, 300), 'db');
  const [log = ''] = readdirSync(directory).filter((name) => name.endsWith('.log'));
  const bytes = readFileSync(path.join(directory, log));
  // Two logs, cut between blocks: what stands in the second went on behind the first.
  const next = `${(Number.parseInt(log, 10) + 1).toString().padStart(6, '0')}.log`;
  writeFileSync(path.join(directory, next), bytes.subarray(3 * 32 * 1024));
  writeFileSync(path.join(directory, log), bytes.subarray(0, 3 * 32 * 1024));
  const split = await holeInLogs(directory);
  // A batch that lies across the cut is lost in this arrangement.
  expect(split === undefined || split.missingOperations === 1).toBe(true);
  writeFileSync(path.join(directory, log), bytes.subarray(0, 2 * 32 * 1024));
  expect((await holeInLogs(directory))?.missingOperations).toBeGreaterThan(50);
});

test('a directory without a database has no hole', async () => {
  expect(await holeInLogs(path.join(directoryOf(), 'db'))).toBeUndefined();
});

test('a log that is being written has no hole', async () => {
  const directory = directoryOf();
  const database = new Level<string, Uint8Array>(path.join(directory, 'db'), {
    valueEncoding: 'view',
  });
  for (let i = 0; i < 200; i += 1) {
    await database.batch([{ type: 'put', key: `k${i}`, value: new Uint8Array(50_000) }]);
    if (i % 20 === 0) expect(await holeInLogs(path.join(directory, 'db'))).toBeUndefined();
  }
  await database.close();
});
