import { expect, expectTypeOf, onTestFinished, test } from 'vitest';
import { isClusterError } from '@memgrid/protocol';
import type { ClusterError, ErrorCode } from '@memgrid/protocol';
import { connect } from './connect.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { Found, NewEntry, WatchItem } from './entry.ts';
import type { Grid, Namespace, Watch } from './grid.ts';
import { FakeCluster } from './testing/fake-cluster.ts';

async function started(nodes = 3): Promise<FakeCluster> {
  const cluster = await FakeCluster.start(nodes);
  onTestFinished(() => cluster.stop());
  return cluster;
}

async function connected(
  cluster: FakeCluster,
  options: Partial<ConnectOptions> = {},
): Promise<Grid> {
  const grid = await connect({ nodes: cluster.urls, ...options });
  onTestFinished(() => grid.close());
  return grid;
}

async function failureOf<Code extends ErrorCode>(
  promise: Promise<unknown>,
  code: Code,
): Promise<ClusterError<Code>> {
  const error: unknown = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (isClusterError(error, code)) return error;
  throw new Error(`Expected ${code}, got ${String(error)}.`);
}

async function taken(watch: Watch, count: number): Promise<WatchItem[]> {
  const items: WatchItem[] = [];
  for await (const item of watch) {
    items.push(item);
    if (items.length === count) break;
  }
  return items;
}

test('what is put is got, changed and deleted', async () => {
  const grid = await connected(await started());
  const notes = grid.namespace('notes');
  const saved = await notes.put({ userId: 'ada', category: 'PATTERN', content: 'prefers tabs' });
  expect(saved).toMatchObject({ acknowledged: 'quorum', sync: 'disk', repeated: false });
  const found = await notes.get(saved.id, { read: 'quorum', timeoutMs: 500 });
  expect(found?.entry).toMatchObject({
    id: saved.id,
    userId: 'ada',
    content: 'prefers tabs',
    category: 'PATTERN',
    metadata: {},
    upstream: { state: 'none' },
  });
  expect(found?.version).toBe(saved.version);
  await notes.update(saved.id, { content: 'prefers spaces' }, { ifVersion: saved.version });
  expect((await notes.get(saved.id))?.entry.content).toBe('prefers spaces');
  await notes.delete(saved.id);
  expect(await notes.get(saved.id)).toBeUndefined();
  expect((await failureOf(notes.update(saved.id, { content: 'x' }), 'NOT_FOUND')).applied).toBe(
    'no',
  );
});

test('asked again with the same operation id, a write without an id is the same write', async () => {
  const grid = await connected(await started());
  const notes = grid.namespace('notes');
  for (const owner of [{ userId: 'ada' }, {}]) {
    const entry = { ...owner, content: 'one', ttlMs: 60_000 };
    const first = await notes.put(entry);
    const { operationId } = first;
    expect(await notes.put(entry, { operationId })).toEqual({ ...first, repeated: true });
    expect((await notes.put(entry)).id).not.toBe(first.id);
  }
});

test('a write that failed names its operation, and a read has none', async () => {
  const cluster = await started(1);
  const grid = await connected(cluster);
  const notes = grid.namespace('notes');
  const missing = await failureOf(notes.update('nothing', { content: 'x' }), 'SHARD_UNKNOWN');
  expect(missing.operationId).toMatch(/-7[0-9a-f]{3}-/);
  const operationId = '01900000-0000-7000-8000-000000000001';
  const ref = { id: 'nothing', userId: 'ada' };
  const refused = notes.update(ref, { content: 'x' }, { operationId });
  expect((await failureOf(refused, 'NOT_FOUND')).operationId).toBe(operationId);
  expect((await failureOf(notes.get('nothing'), 'SHARD_UNKNOWN')).operationId).toBeUndefined();
});

test('a write with an old version is refused and says the current one', async () => {
  const grid = await connected(await started());
  const notes = grid.namespace('notes');
  const saved = await notes.put({ userId: 'ada', content: 'one' });
  const second = await notes.update(saved.id, { content: 'two' });
  const late = notes.update(saved.id, { content: 'three' }, { ifVersion: saved.version });
  expect((await failureOf(late, 'VERSION_CONFLICT')).applied).toBe('no');
  expect((await notes.get(saved.id))?.version).toBe(second.version);
  await failureOf(
    notes.put({ id: saved.id, userId: 'ada', content: 'x' }, { ifAbsent: true }),
    'VERSION_CONFLICT',
  );
});

test('an id of its own needs the owner, and then is found', async () => {
  const grid = await connected(await started());
  const notes = grid.namespace('notes');
  await notes.put({ id: 'profile', userId: 'ada', content: 'likes tea' });
  expect((await notes.get({ id: 'profile', userId: 'ada' }))?.entry.content).toBe('likes tea');
  await notes.put({ id: 'config', content: 'nobody in particular' });
  expect((await notes.get({ id: 'config' }))?.entry.userId).toBeUndefined();
  await failureOf(notes.get('profile'), 'SHARD_UNKNOWN');
});

test('the same operation id does nothing twice', async () => {
  const grid = await connected(await started());
  const notes = grid.namespace('notes');
  const first = await notes.put({ id: 'a', userId: 'ada', content: 'once' });
  const { operationId } = first;
  const again = await notes.put({ id: 'a', userId: 'ada', content: 'once' }, { operationId });
  expect(again).toMatchObject({ version: first.version, repeated: true });
});

test('asked again when its date has passed, an update is not refused as if it had never been', async () => {
  const grid = await connected(await started(1));
  const notes = grid.namespace('notes');
  const ref = { id: 'a', userId: 'ada' };
  const { operationId, version } = await notes.put({ ...ref, content: 'one' });
  // The cluster's time, as this client knows it, is in the id of what it has just begun.
  const nowMs = Number.parseInt(operationId.slice(0, 8) + operationId.slice(9, 13), 16);
  const aMinuteAgo = (nowMs - 60_000).toString(16).padStart(12, '0');
  const early = `${aMinuteAgo.slice(0, 8)}-${aMinuteAgo.slice(8)}${operationId.slice(13)}`;
  const expired = { expiresAt: nowMs - 30_000 };
  const repeated = notes.update({ ...ref, id: 'gone' }, expired, { operationId: early });
  await failureOf(repeated, 'NOT_FOUND');
  await failureOf(notes.update(ref, expired, { ifVersion: version }), 'INVALID_ENTRY');
});

test('lists come in pages, over one shard or all of them', async () => {
  const grid = await connected(await started());
  const notes = grid.namespace('notes');
  const everybody = Array.from({ length: 40 }, (_, at) => ({
    userId: `u${at % 8}`,
    content: `note ${at}`,
  }));
  await Promise.all(everybody.map((entry) => notes.put(entry)));
  const seen: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await notes.list({}, cursor === undefined ? { limit: 7 } : { limit: 7, cursor });
    expect(page.items.length).toBeLessThanOrEqual(7);
    expect(page.complete).toBe(page.cursor === undefined);
    seen.push(...page.items.map(({ entry }) => entry.content));
    cursor = page.cursor;
    pages += 1;
  } while (cursor !== undefined);
  expect(pages).toBeGreaterThan(5);
  expect([...seen].sort()).toEqual(everybody.map(({ content }) => content).sort());
  expect((await notes.count()).count).toBe(40);
});

test('a batch gives each of its calls an outcome', async () => {
  const grid = await connected(await started());
  const notes = grid.namespace('notes');
  const results = await notes.batch([
    { kind: 'put', entry: { id: 'a', userId: 'ada', content: 'one' } },
    { kind: 'put', entry: { id: 'b', userId: 'ada', content: '\ud800' } },
    { kind: 'get', ref: { id: 'nothing', userId: 'ada' } },
    { kind: 'delete', ref: 'no place' },
  ]);
  expect(results).toMatchObject([
    { ok: true, kind: 'put', saved: { id: 'a' } },
    { ok: false, kind: 'put', error: { code: 'INVALID_ENTRY' } },
    { ok: true, kind: 'get', found: undefined },
    { ok: false, kind: 'delete', error: { code: 'SHARD_UNKNOWN' } },
  ]);
});

test('all calls of one turn leave in one frame a node', async () => {
  const cluster = await started(1);
  const grid = await connected(cluster);
  const notes = grid.namespace('notes');
  const before = cluster.grid.node(0).received.length;
  await Promise.all(
    Array.from({ length: 300 }, (_, at) => notes.put({ userId: `u${at}`, content: 'x' })),
  );
  const messages = cluster.grid.node(0).received.slice(before);
  expect(messages.filter(({ type }) => type === 'operations')).toHaveLength(1);
});

test('a watch sees what changes, and goes on where it was left', async () => {
  const grid = await connected(await started());
  const notes = grid.namespace('notes');
  const watch = notes.watch({ userId: 'ada' });
  await watch.ready;
  await notes.put({ userId: 'ada', content: 'one' });
  await notes.put({ userId: 'ada', content: 'two' });
  const [first] = await taken(watch, 1);
  expect(first).toMatchObject({ kind: 'put', entry: { content: 'one' } });
  const since = first?.position ?? '';
  const [second] = await taken(notes.watch({ userId: 'ada' }, { since }), 1);
  expect(second).toMatchObject({ kind: 'put', entry: { content: 'two' } });
});

test('a watch ends with its signal, with its loop, and with the client', async () => {
  const grid = await connected(await started());
  const notes = grid.namespace('notes');
  const controller = new AbortController();
  const aborted = notes.watch({}, { signal: controller.signal })[Symbol.asyncIterator]().next();
  const open = notes.watch({})[Symbol.asyncIterator]().next();
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  await grid.close();
  await failureOf(open, 'CLOSED');
  await failureOf(notes.watch({})[Symbol.asyncIterator]().next(), 'CLOSED');
});

test('a consumer that stops reading costs a bounded buffer, and then gets everything', async () => {
  const cluster = await started(1);
  const grid = await connected(cluster, { watchBufferBytesMax: 4_000 });
  const notes = grid.namespace('notes');
  const watch = notes.watch({ userId: 'ada' });
  await watch.ready;
  for (let at = 0; at < 60; at += 1) await notes.put({ userId: 'ada', content: `note ${at}` });
  expect(cluster.grid.node(0).feeds.size).toBe(0);
  const items = await taken(watch, 60);
  expect(items.map((item) => (item.kind === 'put' ? item.entry?.content : item.kind))).toEqual(
    Array.from({ length: 60 }, (_, at) => `note ${at}`),
  );
});

test('the near cache answers at once, and hears of changes', async () => {
  const cluster = await started();
  const grid = await connected(cluster, { nearCache: { bytesMax: 1_000_000 } });
  const other = await connected(cluster);
  const notes = grid.namespace('notes');
  const { id } = await notes.put({ userId: 'ada', content: 'one' });
  expect(notes.peek(id)).toBeUndefined();
  await expect.poll(async () => (await notes.get(id))?.source, { interval: 5 }).toBe('near');
  expect(notes.peek(id)?.entry.content).toBe('one');
  await other.namespace('notes').update(id, { content: 'two' });
  await expect.poll(async () => (await notes.get(id))?.entry.content, { interval: 5 }).toBe('two');
  await notes.update(id, { content: 'three' });
  expect((await notes.get(id))?.entry.content).toBe('three');
  expect((await notes.get(id, { read: 'strong' }))?.source).not.toBe('near');
  await notes.delete(id);
  expect(notes.peek(id)).toBeUndefined();
});

test('what the near cache hands out is one frozen object for everybody', async () => {
  const cluster = await started();
  const grid = await connected(cluster, { nearCache: { bytesMax: 1_000_000 } });
  const notes = grid.namespace<{ category: string; metadata: { tags: string[] } }>('notes');
  const ref = { id: 'own', userId: 'ada', agentId: 'scribe' };
  await notes.put({ ...ref, content: 'one', metadata: { tags: ['a'] } });
  await expect.poll(async () => (await notes.get(ref))?.source, { interval: 5 }).toBe('near');
  const found = notes.peek('own');
  if (found === undefined) throw new Error('There is no hit.');
  expect(notes.peek('own')?.entry).toBe(found.entry);
  expect((await notes.get(ref, { timeoutMs: 900 }))?.entry).toBe(found.entry);
  expect(Object.isFrozen(found)).toBe(true);
  expect(() => found.entry.metadata.tags.push('b')).toThrow(TypeError);
  expect(notes.peek('own')?.entry.metadata).toEqual({ tags: ['a'] });
  expect(found.stalenessMs).toBeGreaterThan(0);
  expect(found.stalenessMs).toBeLessThanOrEqual(1_000);
});

test('the near cache tells entries of several owners with the same id apart', async () => {
  const cluster = await started();
  const grid = await connected(cluster, { nearCache: { bytesMax: 1_000_000 } });
  const notes = grid.namespace('notes');
  await notes.put({ id: 'own', userId: 'ada', agentId: 'scribe', content: 'of ada' });
  const ref = { id: 'own', userId: 'ada' };
  await expect.poll(async () => (await notes.get(ref))?.source, { interval: 5 }).toBe('near');
  expect(notes.peek({ ...ref, agentId: 'other' })?.entry.content).toBe('of ada');
  for (const other of [
    { userId: 'bob' },
    { agentId: 'scribe' },
    { appId: 'a' },
    { runId: 'r' },
    {},
  ]) {
    expect(notes.peek({ id: 'own', ...other })).toBeUndefined();
  }
  const ofBob = await notes.get({ id: 'own', userId: 'bob' });
  expect(ofBob?.source).not.toBe('near');
  // JavaScript callers have no types.
  expect(notes.peek(undefined as unknown as string)).toBeUndefined();
  await expect(notes.get(undefined as unknown as string)).rejects.toThrow();
});

test('a token counts for hits of the near cache at once', async () => {
  const cluster = await started();
  const grid = await connected(cluster, { nearCache: { bytesMax: 1_000_000 } });
  const notes = grid.namespace('notes');
  const { id } = await notes.put({ userId: 'ada', content: 'one' });
  await expect.poll(async () => (await notes.get(id))?.source, { interval: 5 }).toBe('near');
  const other = await connected(cluster);
  await other.namespace('notes').update(id, { content: 'two' });
  const shown = await notes.get(id, { atLeast: other.token() });
  expect(shown?.entry.content).toBe('two');
});

test('a session reads what another one wrote, by its token', async () => {
  const cluster = await started();
  for (const node of cluster.grid.nodes) node.lag = 1;
  const writer = await connected(cluster);
  const { id } = await writer.namespace('notes').put({ userId: 'ada', content: 'fresh' });
  const reader = await connected(cluster, { atLeast: writer.token() });
  expect((await reader.namespace('notes').get(id))?.entry.content).toBe('fresh');
  const late = await connected(cluster);
  const { id: second } = await writer.namespace('notes').put({ userId: 'ada', content: 'newer' });
  const found = await late.namespace('notes').get(second, { atLeast: writer.token() });
  expect(found?.entry.content).toBe('newer');
});

test('a node that dies costs nothing but time', async () => {
  const cluster = await started();
  const grid = await connected(cluster);
  const notes = grid.namespace('notes');
  const put = (at: number): Promise<unknown> => notes.put({ userId: `u${at}`, content: 'x' });
  await Promise.all(Array.from({ length: 30 }, (_, at) => put(at)));
  const underWay = Array.from({ length: 100 }, (_, at) => put(at));
  await cluster.kill(1);
  await Promise.all(underWay);
  await Promise.all(Array.from({ length: 30 }, (_, at) => put(at)));
});

test('status shows the present state first, then changes, and ends with the client', async () => {
  const cluster = await started(1);
  const grid = await connected(cluster);
  const phases: string[] = [];
  const reading = (async () => {
    for await (const status of grid.status()) phases.push(status.phase);
  })();
  await grid.namespace('notes').put({ userId: 'ada', content: 'x' });
  await grid.close();
  await reading;
  expect(phases.at(0)).toBe('ready');
  expect(phases.at(-1)).toBe('closed');
});

test('drain finishes what is under way, close does not, and both may be called again', async () => {
  const cluster = await started(1);
  const draining = await connected(cluster);
  const call = draining.namespace('notes').put({ userId: 'ada', content: 'x' });
  const drained = draining.drain();
  await failureOf(draining.namespace('notes').put({ userId: 'ada', content: 'y' }), 'CLOSED');
  await drained;
  expect((await call).acknowledged).toBe('quorum');
  await draining.drain();
  await draining.close();
  const closing = await connected(cluster);
  cluster.grid.node(0).gate = () => 'silence';
  const lost = closing.namespace('notes').put({ userId: 'ada', content: 'x' });
  await new Promise((resolve) => setImmediate(resolve));
  await closing.close();
  expect((await failureOf(lost, 'CLOSED')).applied).toBe('unknown');
  await failureOf(closing.namespace('notes').get({ id: 'a' }), 'CLOSED');
});

test('await using closes', async () => {
  const cluster = await started(1);
  let grid: Grid | undefined;
  {
    await using inner = await connect({ nodes: cluster.urls });
    grid = inner;
    await inner.namespace('notes').put({ userId: 'ada', content: 'x' });
  }
  await failureOf(grid.namespace('notes').get({ id: 'a' }), 'CLOSED');
});

test('a signal ends the waiting with its reason; a timeout says what is known', async () => {
  const cluster = await started(1);
  cluster.grid.node(0).gate = () => 'silence';
  const notes = (await connected(cluster)).namespace('notes');
  const controller = new AbortController();
  const aborted = notes.get({ id: 'a' }, { signal: controller.signal });
  controller.abort('not needed');
  await expect(aborted).rejects.toBe('not needed');
  const gone = AbortSignal.abort(new Error('too late'));
  await expect(notes.get({ id: 'a' }, { signal: gone })).rejects.toThrow('too late');
  const write = await failureOf(notes.put({ id: 'a', content: 'x' }, { timeoutMs: 30 }), 'TIMEOUT');
  expect(write).toMatchObject({ applied: 'unknown', details: { timeoutMs: 30 } });
  const read = await failureOf(notes.get({ id: 'a' }, { timeoutMs: 30 }), 'TIMEOUT');
  expect(read.applied).toBe('no');
});

test('a caller that never reads its answers holds a bounded number of calls', async () => {
  const cluster = await started(1);
  cluster.grid.node(0).gate = () => 'silence';
  const notes = (await connected(cluster, { queue: { callsMax: 50 } })).namespace('notes');
  const calls = Array.from({ length: 80 }, () => notes.get({ id: 'a' }, { timeoutMs: 100 }));
  const settled = await Promise.allSettled(calls);
  const codes = settled.map((it) =>
    it.status === 'rejected' ? (it.reason as ClusterError).code : '',
  );
  expect(codes.filter((code) => code === 'OVERLOADED')).toHaveLength(30);
  expect(codes.filter((code) => code === 'TIMEOUT')).toHaveLength(50);
});

interface Note {
  readonly category: 'PATTERN' | 'ERROR';
  readonly metadata: { readonly language: string; readonly weight?: number };
}

test('a namespace has the types of its schema', async () => {
  const grid = await connected(await started(1));
  const notes: Namespace<Note> = grid.namespace<Note>('notes');
  expectTypeOf<NewEntry<Note>['category']>().toEqualTypeOf<'PATTERN' | 'ERROR' | undefined>();
  const metadata = { language: 'ts' };
  const saved = await notes.put({ userId: 'ada', category: 'ERROR', content: 'x', metadata });
  // @ts-expect-error TEAM is no category of these notes.
  const wrong: NewEntry<Note> = { content: 'x', category: 'TEAM' };
  expect(wrong.category).toBe('TEAM');
  const found: Found<Note> | undefined = await notes.get(saved.id);
  expect(found?.entry.metadata.language).toBe('ts');
});
