import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { FRAME_EXAMPLES } from './testing/bad-frames.ts';
import { isClusterError } from '@memgrid/protocol';
import type { ClusterError, JsonObject } from '@memgrid/protocol';
import type { BatchItem } from './batch.ts';
import { connect } from './connect.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { NewEntry } from './entry.ts';
import type { Grid, Namespace } from './grid.ts';
import { FakeCluster } from './testing/fake-cluster.ts';

async function started(options: Partial<ConnectOptions> = {}): Promise<{
  readonly cluster: FakeCluster;
  readonly grid: Grid;
  readonly notes: Namespace;
}> {
  const cluster = await FakeCluster.start(1);
  onTestFinished(() => cluster.stop());
  const grid = await connect({ nodes: cluster.urls, ...options });
  onTestFinished(() => grid.close());
  return { cluster, grid, notes: grid.namespace('notes') };
}

async function failure(promise: Promise<unknown>): Promise<ClusterError> {
  const error: unknown = await promise.then(
    () => new Error('It was accepted.'),
    (caught: unknown) => caught,
  );
  if (isClusterError(error)) return error;
  throw error;
}

function deep(levels: number): JsonObject {
  let value: JsonObject = {};
  for (let at = 0; at < levels; at += 1) value = { inner: value };
  return value;
}

const BAD_ENTRIES: readonly [string, Record<string, unknown>, string][] = [
  ['content above its limit', { content: 'x'.repeat(70_000) }, 'content'],
  ['no content', {}, 'content'],
  ['half a surrogate pair', { content: '\ud83d' }, 'content'],
  ['NUL', { content: 'a\0b' }, 'content'],
  ['half a surrogate pair in an id', { content: 'x', userId: '\udc00' }, 'userId'],
  ['a prototype key', { content: 'x', metadata: JSON.parse('{"__proto__": 1}') }, 'metadata'],
  ['a constructor key', { content: 'x', metadata: { constructor: 1 } }, 'metadata'],
  ['NaN', { content: 'x', metadata: { at: Number.NaN } }, 'metadata.at'],
  ['10,000 levels', { content: 'x', metadata: deep(10_000) }, 'metadata'],
  [
    'metadata above its limit',
    { content: 'x', metadata: { text: 'x'.repeat(20_000) } },
    'metadata',
  ],
  ['an id above its limit', { content: 'x', id: 'x'.repeat(200) }, 'id'],
  ['a field that does not exist', { content: 'x', colour: 'red' }, 'colour'],
  ['a function', { content: 'x', metadata: { act: () => 1 } }, 'metadata.act'],
  ['both kinds of expiry', { content: 'x', ttlMs: 5, expiresAt: 4e12 }, 'ttlMs'],
  ['text for a number', { content: 'x', ttlMs: 'soon' }, 'ttlMs'],
];

test.each(BAD_ENTRIES)(
  'an entry with %s is refused with its path, and nothing is sent',
  async (_what, entry, path) => {
    const { cluster, notes } = await started();
    const before = cluster.grid.node(0).operations.length;
    const error = await failure(notes.put(entry as unknown as NewEntry));
    expect(error.code).toBe('INVALID_ENTRY');
    expect(error.message).toContain(path);
    expect(error.applied).toBe('no');
    expect(cluster.grid.node(0).operations).toHaveLength(before);
  },
);

test('all problems of an entry are told at once', async () => {
  const { notes } = await started();
  const entry = { userId: 7, content: '\0', metadata: { a: Number.NaN } } as unknown as NewEntry;
  const error = await failure(notes.put(entry));
  if (!isClusterError(error, 'INVALID_ENTRY')) throw error;
  expect(error.details.problems).toHaveLength(3);
});

test('a patch is checked like an entry', async () => {
  const { notes } = await started();
  const { id } = await notes.put({ userId: 'ada', content: 'x' });
  for (const patch of [
    {},
    { content: '\ud800' },
    { metadata: { a: Number.POSITIVE_INFINITY } },
    { userId: 'bob' },
  ]) {
    const error = await failure(notes.update(id, patch as never));
    expect(error.code).toBe('INVALID_ENTRY');
  }
});

test.each([
  ['an empty id', (notes: Namespace) => notes.get('')],
  ['an id with NUL', (notes: Namespace) => notes.get({ id: 'a\0b' })],
  [
    'an owner above its limit',
    (notes: Namespace) => notes.get({ id: 'a', userId: 'x'.repeat(300) }),
  ],
  ['an owner with half a pair', (notes: Namespace) => notes.list({ agentId: '\ud800' })],
  ['a limit of 0', (notes: Namespace) => notes.list({}, { limit: 0 })],
  ['a limit of 1,001', (notes: Namespace) => notes.list({}, { limit: 1001 })],
  ['a timeout of 0', (notes: Namespace) => notes.get({ id: 'a' }, { timeoutMs: 0 })],
  [
    'a timeout that is no number',
    (notes: Namespace) => notes.get({ id: 'a' }, { timeoutMs: Number.NaN }),
  ],
  [
    'a read level that does not exist',
    (notes: Namespace) => notes.get({ id: 'a' }, { read: 'all' as 'one' }),
  ],
  ['a version of nothing', (notes: Namespace) => notes.delete({ id: 'a' }, { ifVersion: 'v1' })],
  [
    'an operation id that is none',
    (notes: Namespace) => notes.delete({ id: 'a' }, { operationId: 'x' }),
  ],
  [
    'two conditions',
    (notes: Namespace) =>
      notes.put(
        { content: 'x' },
        { ifAbsent: true, ifVersion: `${'0'.repeat(16)}-${'a'.repeat(32)}.1-1` },
      ),
  ],
] as const)('%s is a bad request', async (_what, act) => {
  const { cluster, notes } = await started();
  const error = await failure(act(notes));
  expect(error).toMatchObject({ code: 'BAD_REQUEST', applied: 'no', retry: 'never' });
  expect(cluster.grid.node(0).operations).toEqual([]);
});

test('a compare on a version that never existed is a conflict', async () => {
  const { notes } = await started();
  const { id, version } = await notes.put({ userId: 'ada', content: 'x' });
  const never = version.replace(/-\d+$/, '-987654321');
  const error = await failure(notes.update(id, { content: 'y' }, { ifVersion: never }));
  expect(error).toMatchObject({ code: 'VERSION_CONFLICT', applied: 'no' });
});

test.each(['', '\0', 'x'.repeat(65), '\ud800'])('the namespace %j is refused', async (name) => {
  const { grid } = await started();
  expect(() => grid.namespace(name)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
});

test('tokens that are stale, forged or of another cluster', async () => {
  const { cluster, grid, notes } = await started();
  await notes.put({ userId: 'ada', content: 'x' });
  const token = grid.token();
  for (const bad of ['', 'nonsense', token.slice(1), `${token}AAAA`, 'A'.repeat(4_000)]) {
    expect(() => grid.atLeast(bad)).toThrow(expect.objectContaining({ code: 'BAD_TOKEN' }));
    expect((await failure(notes.get({ id: 'a' }, { atLeast: bad }))).code).toBe('BAD_TOKEN');
  }
  expect((await failure(connect({ nodes: cluster.urls, atLeast: 'nonsense' }))).code).toBe(
    'BAD_TOKEN',
  );
  // An old token of this very cluster only asks for less than is known already.
  grid.atLeast(token);
  expect(grid.token()).toBe(token);
});

test('a cursor of another list, and a position of another watch', async () => {
  const { notes } = await started();
  await Promise.all(
    Array.from({ length: 9 }, (_, at) => notes.put({ userId: 'ada', content: `${at}` })),
  );
  const { cursor } = await notes.list({ userId: 'ada' }, { limit: 3 });
  if (cursor === undefined) throw new Error('There should be more.');
  expect((await failure(notes.list({ userId: 'bob' }, { cursor }))).code).toBe('BAD_CURSOR');
  expect((await failure(notes.list({ userId: 'ada' }, { cursor: `${cursor}x` }))).code).toBe(
    'BAD_CURSOR',
  );
  const watch = notes.watch({ userId: 'ada' }, { since: cursor })[Symbol.asyncIterator]();
  expect((await failure(watch.next())).code).toBe('BAD_CURSOR');
});

test('a node of an incompatible protocol is told with both ranges', async () => {
  const cluster = await FakeCluster.start(1);
  onTestFinished(() => cluster.stop());
  cluster.grid.node(0).refuses = 'protocol';
  const error = await failure(connect({ nodes: cluster.urls, connectTimeoutMs: 5_000 }));
  expect(error).toMatchObject({
    code: 'PROTOCOL_MISMATCH',
    details: { theirsMin: 7, theirsMax: 9 },
  });
  expect(error.message).toContain('It speaks protocol 7 to 9, this client 1 to 1.');
});

test('a wrong token is told at once, the right one lets in', async () => {
  const cluster = await FakeCluster.start(1);
  onTestFinished(() => cluster.stop());
  cluster.token = 'secret';
  const error = await failure(connect({ nodes: cluster.urls, token: 'guess' }));
  expect(error.code).toBe('NOT_CONNECTED');
  expect(error.message).toContain('401');
  const grid = await connect({ nodes: cluster.urls, token: 'secret' });
  await grid.close();
});

test('a cluster that is away is told after the time that was given', async () => {
  const cluster = await FakeCluster.start(1);
  const { urls } = cluster;
  await cluster.stop();
  const error = await failure(connect({ nodes: urls, connectTimeoutMs: 200 }));
  expect(error.code).toBe('NOT_CONNECTED');
  expect(error.message).toMatch(/ECONNREFUSED/);
  const controller = new AbortController();
  const connecting = connect({ nodes: urls, signal: controller.signal });
  controller.abort(new Error('never mind'));
  await expect(connecting).rejects.toThrow('never mind');
});

test('all problems of the options are told at once', async () => {
  const error = await failure(
    connect({
      nodes: ['http://a:1', 'ws://u:p@b:2', 'wss://c:3', 'ws://d:4'],
      timeoutMs: -1,
      read: 'some' as 'one',
      name: 'x'.repeat(100),
      nearCache: { bytesMax: 0, maxStalenessMs: 5 },
      queue: { callsMax: 0 },
      retries: { share: 2 },
    }),
  );
  if (!isClusterError(error, 'BAD_CONFIGURATION')) throw error;
  expect(error.details.problems).toHaveLength(10);
  for (const nodes of [[], undefined, 'ws://a:1', [undefined], [7], ['ws://a:1/path']]) {
    const bad = connect({ nodes } as unknown as ConnectOptions);
    expect((await failure(bad)).code).toBe('BAD_CONFIGURATION');
  }
});

test.each(FRAME_EXAMPLES)(
  'a node that sends %s is left, and the client goes on',
  async (_what, bytes) => {
    const { cluster, grid, notes } = await started();
    await notes.put({ userId: 'ada', content: 'x' });
    cluster.sendRaw(0, bytes);
    for await (const { phase } of grid.status()) if (phase === 'connecting') break;
    const { acknowledged } = await notes.put({ userId: 'ada', content: 'y' });
    expect(acknowledged).toBe('quorum');
  },
);

test('an item of a batch that is no call is refused, and the others are carried out', async () => {
  const { notes } = await started();
  const [bad, nothing, noRef, good] = await notes.batch([
    { kind: 'upsert', entry: { content: 'x' } } as unknown as BatchItem,
    null as unknown as BatchItem,
    { kind: 'get' } as unknown as BatchItem,
    { kind: 'put', entry: { content: 'y' } },
  ]);
  for (const refused of [bad, nothing, noRef]) {
    expect(refused).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST', applied: 'no' } });
  }
  expect(good).toMatchObject({ ok: true, kind: 'put' });
});

test('an item of a batch that is aborted says so', async () => {
  const { notes } = await started();
  const signal = AbortSignal.abort('enough');
  const [item] = await notes.batch([{ kind: 'put', entry: { content: 'x' }, options: { signal } }]);
  expect(item).toMatchObject({ ok: false, kind: 'put', error: { code: 'ABORTED' } });
});

async function answering(status: number, body: string): Promise<string> {
  const server = createServer((_request, response) => void response.writeHead(status).end(body));
  await new Promise<void>((resolve) => {
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each([
  {
    body: JSON.stringify({ error: { message: 'This is the admin port; use 10.0.0.1:7700.' } }),
    says: 'use 10.0.0.1:7700.',
  },
  { body: '<html>', says: 'Unexpected server response: 404' },
])('a server that is no node for clients is told by its own words: $says', async (given) => {
  const connecting = connect({ nodes: [await answering(404, given.body)], connectTimeoutMs: 300 });
  await expect(connecting).rejects.toMatchObject({
    code: 'NOT_CONNECTED',
    // Told at once: another try meets the same server.
    retry: 'never',
    message: expect.stringContaining(given.says) as string,
  });
});

test('who asks again at once when a client closes is refused, and so is whoever asks later', async () => {
  const { grid, notes } = await started();
  const ask = (): Promise<unknown> => notes.get({ id: 'a', userId: 'ada' });
  const again = ask().catch(ask);
  const refused = Promise.all([failure(again), failure(again.catch(ask))]);
  await grid.close();
  for (const { code } of await refused) expect(code).toBe('CLOSED');
  expect((await failure(ask())).code).toBe('CLOSED');
});
