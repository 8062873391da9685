import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SlabEntryTable } from '@memgrid/core';
import type { ShardId } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { NodeStore } from '../../packages/node/src/disk/node-store.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const WRITER = fileURLToPath(new URL('store-writer.ts', import.meta.url));
const SHARDS = Array.from({ length: 8 }, (_, shard) => shard as ShardId);

interface Written {
  /** The last batch of which the writer was told that it is stored. */
  readonly acknowledged: number;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

interface Writing {
  readonly directory: string;
  readonly first: number;
  /** Killed after so many acknowledged batches; never when absent. */
  readonly killAfter?: number;
  /** What no file may exceed, as a disk without room would have it. */
  readonly fileBytesMax?: number;
}

/** Runs the writer until it is killed or gives up. */
async function written({ directory, first, ...limits }: Writing): Promise<Written> {
  const { killAfter = Number.POSITIVE_INFINITY, fileBytesMax } = limits;
  const argv = [process.execPath, '--conditions=memgrid-source', WRITER, directory, String(first)];
  // Blocks of 512 bytes; without the trap the signal would end the process before the error does.
  const limit = fileBytesMax === undefined ? '' : `trap "" XFSZ; ulimit -f ${fileBytesMax / 512};`;
  const child = spawn('/bin/sh', ['-c', `${limit} exec "$0" "$@"`, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let rest = '';
  let stderr = '';
  let acknowledged = 0;
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    stderr += more;
  });
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    const lines = (rest + more).split('\n');
    rest = lines.pop() ?? '';
    acknowledged = Number(lines.at(-1) ?? acknowledged);
    if (acknowledged >= first + killAfter) child.kill('SIGKILL');
  });
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => {
    child.on('close', (_code, killedBy) => resolve(killedBy));
  });
  return { acknowledged, signal, stderr };
}

/** Checks that the directory holds whole batches, all up to some number, and returns that. */
async function lastBatch(directory: string): Promise<number> {
  const table = new SlabEntryTable();
  const store = await NodeStore.open(directory, table);
  expect(store.findings).toEqual([]);
  const counter = store.records.get('node/counter') ?? new Uint8Array(8);
  const last = new DataView(counter.buffer, counter.byteOffset).getFloat64(0);
  for (let number = 1; number <= last; number += 1) {
    const found = table.get((number % 8) as ShardId, 0, `acme\0${number}`);
    if (typeof found === 'string') throw new Error(`Entry ${number} of ${last} is ${found}.`);
    if (found.at.index !== number) throw new Error(`Entry ${number} is that of ${found.at.index}.`);
  }
  // And nothing of a batch that did not make it.
  expect(SHARDS.reduce((sum, shard) => sum + table.count(shard, 0), 0)).toBe(last);
  expect(store.records.size).toBe(last + 1);
  await store.close();
  return last;
}

test('what a killed process was told is stored is there, and batches are whole and in order', async () => {
  using directory = new TemporaryDirectory();
  let last = 0;
  for (let round = 1; round <= 4; round += 1) {
    // Enough to fill LevelDB's log several times over: 9 MiB a round.
    const { acknowledged, signal } = await written({
      directory: directory.path,
      first: last + 1,
      killAfter: 12_000,
    });
    expect(signal).toBe('SIGKILL');
    last = await lastBatch(directory.path);
    expect(last).toBeGreaterThanOrEqual(acknowledged);
  }
});

test('a disk without room fails writes, and what was stored before is there', async () => {
  using directory = new TemporaryDirectory();
  const { acknowledged, stderr } = await written({
    directory: directory.path,
    first: 1,
    fileBytesMax: 2 * 1024 * 1024,
  });
  expect(stderr).toMatch(/Batch \d+ failed: .*File too large/);
  expect(acknowledged).toBeGreaterThan(1000);
  const last = await lastBatch(directory.path);
  expect(last).toBeGreaterThanOrEqual(acknowledged);
  // With room again it goes on where it was.
  const again = await written({ directory: directory.path, first: last + 1, killAfter: 1000 });
  expect(await lastBatch(directory.path)).toBeGreaterThanOrEqual(again.acknowledged);
});
