import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { entryKey } from '@memgrid/core';
import type { NodeReply } from '@memgrid/core';
import { bareEntry, encodeEntry, makeOperationId, shardOfEntry } from '@memgrid/protocol';
import type { OperationBody } from '@memgrid/protocol';
import { Level } from 'level';
import { expect, onTestFinished, test } from 'vitest';
import type { NodeOptions } from './config/node-config.ts';
import { startNode } from './node.ts';
import type { RunningNode } from './running-node.ts';
import { systemClock } from './runtime/system-clock.ts';

const SHARDS = 8;
const key = { namespace: 'acme', key: 'a' } as const;
const shard = shardOfEntry({ ...key, userId: 'ada' }, SHARDS);
const condition = { kind: 'always' } as const;

function directoryOf(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-disk-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function loneNode(data: string, options: NodeOptions = {}): Promise<RunningNode> {
  const node = await startNode({
    data,
    listen: '127.0.0.1:0',
    http: 'none',
    profile: 'local',
    logLevel: 'silent',
    shards: SHARDS,
    replicas: 1,
    ...options,
  });
  onTestFinished(async () => {
    await node.close();
  });
  const events = node.events();
  const isActive = (): boolean =>
    node.status().shards.some((one) => one.shard === shard && one.active);
  while (!isActive()) await events.next();
  return node;
}

function putOf(content: string): OperationBody {
  const body = bareEntry({ content, userId: 'ada' });
  return { kind: 'put', ...key, entry: encodeEntry(body), condition };
}

let operations = 0;

async function ask(node: RunningNode, body: OperationBody): Promise<NodeReply> {
  operations += 1;
  const operation = {
    id: operations,
    shard,
    operationId:
      body.kind === 'get' ? '' : makeOperationId(systemClock.wallMs(), [1, 2, operations]),
    body,
    read: 'strong',
    durability: 'quorum',
    sync: 'disk',
    timeoutMs: 5_000,
    noAutonomous: true,
    atLeast: 0,
  } as const;
  return await node.request({ kind: 'operation', operation }, 5_000);
}

/** The kind of the answer, or the code of the failure. */
async function answerOf(node: RunningNode, body: OperationBody): Promise<string> {
  const reply = await ask(node, body);
  if (reply.kind !== 'answered') return reply.kind;
  const { result } = reply.answer;
  return result.kind === 'failed' ? result.code : result.kind;
}

test('a damaged entry does not keep a node from starting, and is mended', async () => {
  const data = directoryOf();
  const first = await loneNode(data);
  expect(await answerOf(first, putOf('Likes tea.'))).toBe('written');
  await first.close();
  const database = new Level<string, Uint8Array>(path.join(data, 'db'), { valueEncoding: 'view' });
  // Whether it had reached the disk or not: what is there now was never written.
  await database.put(entryKey(shard, 0, 'acme\0a'), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  await database.close();
  const second = await loneNode(data);
  // What it is comes from the log here, and from another replica where there is one.
  expect(await answerOf(second, { kind: 'get', ...key })).toBe('found');
});

test('a node that holds all it may refuses writes, and takes deletes', async () => {
  const node = await loneNode(directoryOf(), { storageBytesMax: 1 });
  let answer = '';
  // The room is measured every two seconds; until then everything is taken.
  while (answer !== 'STORAGE_FULL') answer = await answerOf(node, putOf('Likes coffee.'));
  expect(await answerOf(node, { kind: 'get', ...key })).toBe('found');
  expect(await answerOf(node, { kind: 'delete', ...key, condition })).toBe('written');
});
