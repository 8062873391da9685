import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { MemoryEntryTable } from '@memgrid/core';
import type { NodeStatus } from '@memgrid/core';
import { isClusterError } from '@memgrid/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { NodeOptions } from './config/node-config.ts';
import { resolveConfig } from './config/resolve-config.ts';
import { NodeStore } from './disk/node-store.ts';
import { NodeShell } from './node-shell.ts';
import { startNode } from './node.ts';
import { Observer } from './observe/observer.ts';
import type { Company, RunningNode } from './running-node.ts';

const nowhere = { write: () => undefined };

function directoryOf(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'memgrid-node-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function nodeOf(
  data: string,
  options: NodeOptions = {},
  foundWith?: () => Promise<Company>,
): Promise<RunningNode> {
  const node = await startNode(
    { data, listen: '127.0.0.1:0', http: '127.0.0.1:0', profile: 'local', ...options },
    { logTo: nowhere, ...(foundWith === undefined ? {} : { foundWith }) },
  );
  onTestFinished(async () => void (await node.close()));
  return node;
}

/** Nodes that know each other's addresses, whatever ports the system chose. */
async function clusterOf(count: number, options: NodeOptions = {}): Promise<RunningNode[]> {
  const directory = directoryOf();
  const seeds: string[] = [];
  const { promise: allBound, resolve } = Promise.withResolvers<Company>();
  const starting = Array.from({ length: count }, async (_, at) => {
    return await startNode(
      {
        data: path.join(directory, String(at)),
        listen: '127.0.0.1:0',
        http: '127.0.0.1:0',
        profile: 'local',
        ...options,
      },
      {
        logTo: nowhere,
        foundWith: async ({ address }) => {
          if (seeds.push(address) === count) resolve({ seeds, expect: count });
          return await allBound;
        },
      },
    );
  });
  const nodes = await Promise.all(starting);
  onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.close()))));
  return nodes;
}

/** Waits until the condition holds. It is looked at after every event: nothing else changes it. */
async function until(node: RunningNode, holds: (status: NodeStatus) => boolean): Promise<void> {
  const events = node.events();
  if (holds(node.status())) return;
  for await (const _event of events) if (holds(node.status())) return;
  throw new Error(`The node stopped with ${JSON.stringify(node.status())}.`);
}

function isSettled({ phase, coordinator }: NodeStatus): boolean {
  return phase === 'member' && coordinator !== undefined;
}

async function json(node: RunningNode, url: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(`http://${node.httpAddress}${url}`, init);
  return { status: response.status, body: (await response.json()) as unknown };
}

test('one node founds a cluster, answers through its group, and remembers who it is', async () => {
  const data = directoryOf();
  const first = await nodeOf(data);
  expect(first.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  await until(first, isSettled);
  expect(await json(first, '/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
  expect(await first.request({ kind: 'readIndex' })).toMatchObject({ kind: 'readable' });
  const before = first.status();
  expect(await first.close()).toMatchObject({ code: 'closed' });

  const second = await nodeOf(data);
  await until(second, isSettled);
  expect(second.status()).toMatchObject({
    nodeId: before.nodeId,
    clusterId: before.clusterId,
    generation: before.generation + 1,
  });
});

test('three nodes become one cluster, hand the coordinator over, and let one of them go', async () => {
  const nodes = await clusterOf(3);
  for (const node of nodes) {
    await until(node, (status) => isSettled(status) && status.members.length === 3);
  }
  expect(new Set(nodes.map((node) => node.status().clusterId)).size).toBe(1);
  const [one] = nodes as [RunningNode];
  const before = one.status().coordinator;
  const leading = (): RunningNode | undefined =>
    nodes.find((node) => node.status().nodeId === one.status().coordinator);
  // A successor must have everything. A leader answers reads only after it has committed an entry
  // of its own, so one follower at least has that one too.
  expect(await leading()?.request({ kind: 'readIndex' })).toMatchObject({ kind: 'readable' });
  const url = `http://${leading()?.httpAddress}/cluster/coordinator/handover`;
  const answer = await fetch(url, { method: 'POST' });
  expect(await answer.json()).toMatchObject({ before });
  await until(one, ({ coordinator }) => coordinator !== undefined && coordinator !== before);

  const leader = leading();
  const leaderId = leader?.status().nodeId;
  const exits = await Promise.all([leader?.drain(), leader?.drain(), leader?.done]);
  expect(new Set(exits).size).toBe(1);
  expect(exits[0]).toMatchObject({ code: 'left' });
  for (const node of nodes.filter((other) => other !== leader)) {
    await until(node, ({ coordinator }) => coordinator !== undefined && coordinator !== leaderId);
    expect(await json(node, '/readyz')).toMatchObject({ status: 200 });
  }
});

test('peers with TLS and a token find each other', async () => {
  const tls = (file: string): string =>
    fileURLToPath(new URL(`./testdata/tls/${file}`, import.meta.url));
  const nodes = await clusterOf(2, {
    tlsCert: tls('node.pem'),
    tlsKey: tls('node-key.pem'),
    tlsCa: tls('ca.pem'),
    token: 'a-secret-of-good-length',
  });
  for (const node of nodes) await until(node, isSettled);
  const request = get(`https://${nodes[0]?.httpAddress}/livez`, {
    ca: readFileSync(tls('ca.pem')),
    agent: false,
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  expect(response.resume().statusCode).toBe(200);
});

test('garbage on an open port is counted and changes nothing', async () => {
  const node = await nodeOf(directoryOf());
  await until(node, isSettled);
  // Everything about its own founding is applied.
  await node.request({ kind: 'readIndex' });
  const { members, control } = node.status();
  const events = node.events();
  const socket = new WebSocket(`ws://${node.address}/peer/control`);
  await once(socket, 'open');
  socket.send(new Uint8Array(1000).fill(7));
  for await (const event of events) {
    if (event.name !== 'frame.refused') continue;
    expect(event.reason).toBe('garbage');
    break;
  }
  await once(socket, 'close');
  expect(node.status()).toMatchObject({ members: [{ nodeId: members[0]?.nodeId }], control });
  const metrics = await (await fetch(`http://${node.httpAddress}/metrics`)).text();
  expect(metrics).toMatch(/^memgrid_frames_refused_total\{reason="garbage"\} 1$/m);
});

test('a start that fails leaves nothing behind', async () => {
  const data = directoryOf();
  const running = await nodeOf(directoryOf());
  for (const clash of [{ listen: running.address }, { http: running.httpAddress }]) {
    const error: unknown = await nodeOf(data, clash).catch((reason: unknown) => reason);
    expect(isClusterError(error, 'ADDRESS_IN_USE')).toBe(true);
  }
  const gone = nodeOf(data, {}, async () => await Promise.reject(new Error('Nobody came.')));
  await expect(gone).rejects.toThrow('Nobody came.');
  // The directory is free again, and no identity was spent on the attempts.
  const node = await nodeOf(data);
  expect(node.status().generation).toBe(1);
});

test('records that make no sense are refused, and the directory is let go', async () => {
  const data = directoryOf();
  const store = await NodeStore.open(data);
  const value = Uint8Array.of(0xc1, 0xff);
  await store.write([{ kind: 'put', key: 'node/identity', value }], true);
  await store.close();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const error: unknown = await nodeOf(data).catch((reason: unknown) => reason);
    if (!isClusterError(error, 'DIRECTORY_CORRUPT')) throw error;
    expect(error.details.directory).toBe(data);
  }
});

test('a directory in use is refused', async () => {
  const data = directoryOf();
  await nodeOf(data);
  const error: unknown = await nodeOf(data).catch((reason: unknown) => reason);
  expect(isClusterError(error, 'DIRECTORY_LOCKED')).toBe(true);
});

test('contradictory options are refused before anything is touched', async () => {
  const data = path.join(directoryOf(), 'never');
  const error: unknown = await nodeOf(data, { expect: 3, zone: '' }).catch((one: unknown) => one);
  if (!isClusterError(error, 'BAD_CONFIGURATION')) throw error;
  expect(error.details.problems).toHaveLength(2);
  await expect(NodeStore.open(data).then((store) => store.close())).resolves.toBeUndefined();
});

test('closing is idempotent, ends the events and answers who still waits', async () => {
  const node = await nodeOf(directoryOf(), { expect: 2, seeds: ['127.0.0.1:1'] });
  const events = node.events();
  const waiting = node.request({ kind: 'readIndex' }, 60_000);
  const exits = await Promise.all([node.close(), node.close(), node.done]);
  expect(new Set(exits).size).toBe(1);
  expect((await waiting).kind).toBe('failed');
  const names: string[] = [];
  for await (const event of events) names.push(event.name);
  expect(names.at(-1)).toBe('node.stopped');
  await node[Symbol.asyncDispose]();
});

test('a disk that refuses a write ends the node, and nothing is tried again', async () => {
  const { config } = resolveConfig({
    flags: { data: directoryOf(), listen: '127.0.0.1:0', http: 'none' },
  });
  const entries = new MemoryEntryTable();
  const store = await NodeStore.open(config.data, entries);
  let writes = 0;
  store.write = async () => {
    writes += 1;
    return await Promise.reject(new Error('EIO: i/o error, fdatasync'));
  };
  const observer = new Observer('0', { level: 'silent', format: 'json', to: nowhere });
  const shell = new NodeShell({ config, store, entries, observer, tls: undefined });
  const events = shell.events();
  await shell.listen();
  await shell.run(config);
  expect(await shell.done).toMatchObject({ code: 'storeFailed' });
  expect(writes).toBe(1);
  const problems: string[] = [];
  for await (const event of events) if (event.name === 'disk.failed') problems.push(event.problem);
  expect(problems).toEqual(['EIO: i/o error, fdatasync']);
});
