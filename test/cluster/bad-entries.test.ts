import { connect, isClusterError } from '@memgrid/client';
import type { Grid, NewEntry } from '@memgrid/client';
import { LIMITS, makeOperationId } from '@memgrid/protocol';
import type { Answer } from '@memgrid/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DevCluster } from './dev-cluster.ts';
import { RAW_NAMESPACE, RawClient } from './raw-client.ts';
import { rawEntry, type RawEntry } from './raw-entry.ts';
import { until } from './until.ts';

// Bad input over real sockets against a real node. docs/operations/bad-input.md names these tests.
// One node serves them all: none of them may leave anything behind, which the last one looks at.

let cluster: DevCluster;
let grid: Grid;

beforeAll(async () => {
  cluster = await DevCluster.start('--nodes', '1');
  grid = await connect({ nodes: [cluster.coordinator.address] });
  await until('the node serves', () =>
    grid
      .namespace(RAW_NAMESPACE)
      .count()
      .catch(() => undefined),
  );
});

afterAll(async () => {
  await grid.close();
  await cluster[Symbol.asyncDispose]();
});

async function rawClient(): Promise<RawClient> {
  const client = await RawClient.connect(cluster.coordinator.address);
  await until('the node welcomes', () => client.welcome);
  return client;
}

/** A put of these very bytes, past every check of the client. */
async function putRaw(entry: Uint8Array, key = 'k'): Promise<Answer['result'] | undefined> {
  await using client = await rawClient();
  const answer = await client.ask({
    shard: client.shardOf('ada', key),
    operationId: makeOperationId(Date.now(), [1, 2, Math.floor(performance.now() * 1_000)]),
    body: { kind: 'put', namespace: RAW_NAMESPACE, key, entry, condition: { kind: 'always' } },
  });
  return answer?.result;
}

const utf8 = (...bytes: readonly number[]): Uint8Array => new Uint8Array(bytes);
const nested = (levels: number): string => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`;

const BAD_ENTRIES: readonly (readonly [what: string, entry: RawEntry, says: string])[] = [
  ['no content at all', { content: 7 }, 'entry.content: expected text'],
  [
    'content above its limit',
    { content: 'x'.repeat(LIMITS.contentBytesMax + 1) },
    `at most ${LIMITS.contentBytesMax}`,
  ],
  [
    'metadata above their limit',
    { metadata: JSON.stringify({ a: 'x'.repeat(LIMITS.metadataBytesMax) }) },
    `at most ${LIMITS.metadataBytesMax}`,
  ],
  [
    'an owner above its limit',
    { userId: 'u'.repeat(LIMITS.scopePartBytesMax + 1) },
    `at most ${LIMITS.scopePartBytesMax}`,
  ],
  [
    'too many categories',
    { categories: Array.from({ length: LIMITS.categoriesMax + 1 }, (_, at) => `c${at}`) },
    `at most ${LIMITS.categoriesMax}`,
  ],
  ['invalid UTF-8', { content: utf8(0x61, 0xff, 0xfe) }, 'entry: byte 34: expected UTF-8'],
  ['a lone surrogate', { content: utf8(0xed, 0xa0, 0x80) }, 'entry: byte 33: expected UTF-8'],
  ['NUL', { content: 'a\0b' }, 'entry.content: expected text without NUL'],
  ['a lone surrogate in JSON', { metadata: String.raw`{"a":"\ud800"}` }, 'entry.metadata'],
  ['the key __proto__', { metadata: '{"__proto__":{"admin":true}}' }, '__proto__'],
  ['the key constructor', { metadata: '{"constructor":1}' }, 'constructor'],
  ['NaN for a number', { expiresAt: Number.NaN }, 'entry.expiresAt'],
  ['NaN in JSON', { metadata: '{"a":NaN}' }, 'entry.metadata: expected JSON'],
  ['a number that is none', { metadata: '{"a":1e999}' }, 'entry.metadata'],
  ['10,000 levels', { metadata: nested(5_000) }, 'entry.metadata'],
  ['a schema that nobody has registered', { schema: 'ghost', schemaVersion: 1 }, 'ghost'],
  ['a version of the schema that nobody knows', { schema: 'memory', schemaVersion: 99 }, '99'],
];

test.each(BAD_ENTRIES)(
  'a node refuses %s, with the place and the limit',
  async (_what, entry, says) => {
    const result = await putRaw(rawEntry(entry));
    if (result?.kind !== 'failed') throw new Error(`It was taken: ${result?.kind}`);
    expect(result).toMatchObject({ kind: 'failed', applied: 'no' });
    expect(['INVALID_ENTRY', 'SCHEMA_UNKNOWN', 'SCHEMA_CONFLICT']).toContain(result.code);
    expect(result.message).toContain(says);
    // The text that was wrong is not repeated whole.
    expect(result.message.length).toBeLessThan(1_000);
  },
);

test('the same bytes without a mistake are taken, so that the refusals mean something', async () => {
  expect(await putRaw(rawEntry({}), 'good')).toMatchObject({ kind: 'written' });
  await grid.namespace(RAW_NAMESPACE).delete({ id: 'good', userId: 'ada' });
});

async function refusal(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => new Error('It was accepted.'),
    (error: unknown) => {
      if (!isClusterError(error)) return error;
      const { code, applied, message } = error;
      return { code, applied, message };
    },
  );
}

test.each<readonly [what: string, entry: Record<string, unknown>, says: string]>([
  ['content above its limit', { content: 'x'.repeat(70_000) }, 'content'],
  ['half a surrogate pair', { content: '\ud83d' }, 'content'],
  ['NaN', { content: 'x', metadata: { at: Number.NaN } }, 'metadata.at'],
  [
    'an unknown category',
    { content: 'x', category: 'GOSSIP' },
    '/category: must be equal to one of',
  ],
])('through the client: an entry with %s is refused', async (_what, entry, says) => {
  const put = grid.namespace(RAW_NAMESPACE).put(entry as unknown as NewEntry);
  expect(await refusal(put)).toMatchObject({
    code: 'INVALID_ENTRY',
    applied: 'no',
    message: expect.stringContaining(says),
  });
});

test('a program that knows a version of the schema which does not exist is told both', async () => {
  const notes = grid.namespace('versions');
  const { id } = await notes.put({ userId: 'ada', content: 'x' });
  expect(await refusal(notes.get(id, { schemaVersion: 99 }))).toMatchObject({
    applied: 'no',
    message: expect.stringContaining('99'),
  });
  await notes.delete(id);
});

test('tokens: forged, cut off, and of another cluster', async () => {
  const notes = grid.namespace(RAW_NAMESPACE);
  const { id } = await notes.put({ userId: 'ada', content: 'x' });
  const token = grid.token();
  const forged = `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`;
  for (const bad of ['nonsense', token.slice(1), forged]) {
    expect(await refusal(notes.get(id, { atLeast: bad }))).toMatchObject({ code: 'BAD_TOKEN' });
  }
  await using other = await DevCluster.start('--nodes', '1');
  await using stranger = await connect({ nodes: [other.coordinator.address] });
  const reading = stranger.namespace(RAW_NAMESPACE).get('k', { atLeast: token });
  expect(await refusal(reading)).toMatchObject({ code: 'BAD_TOKEN', applied: 'no' });
  await notes.delete(id);
});

test('a read that asks for more than there is of a shard waits for its time, and no longer', async () => {
  await using client = await rawClient();
  const answer = await client.ask({
    shard: client.shardOf('ada', 'k'),
    body: { kind: 'get', namespace: RAW_NAMESPACE, key: 'k' },
    read: 'one',
    atLeast: 2 ** 50,
    timeoutMs: 300,
  });
  expect(answer?.result).toMatchObject({ kind: 'failed', applied: 'no' });
});

test('cursors and positions of other lists and watches', async () => {
  const notes = grid.namespace('cursors');
  const saved = await Promise.all(
    Array.from({ length: 5 }, (_, at) => notes.put({ userId: 'ada', content: `${at}` })),
  );
  const { cursor = '' } = await notes.list({ userId: 'ada' }, { limit: 2 });
  const elsewhere = grid.namespace(RAW_NAMESPACE);
  const bad = [
    notes.list({ userId: 'bob' }, { cursor }),
    elsewhere.list({ userId: 'ada' }, { cursor }),
    notes.list({ userId: 'ada' }, { cursor: `${cursor}x` }),
    notes.watch({ userId: 'ada' }, { since: cursor })[Symbol.asyncIterator]().next(),
  ];
  for (const one of bad) {
    expect(await refusal(one)).toMatchObject({ code: 'BAD_CURSOR', applied: 'no' });
  }
  await Promise.all(saved.map(({ id }) => notes.delete(id)));
});

test('a compare on a version that never existed changes nothing', async () => {
  const notes = grid.namespace('compares');
  const { id, version } = await notes.put({ userId: 'ada', content: 'x' });
  const never = version.replace(/-\d+$/, '-987654321');
  for (const attempt of [
    notes.update(id, { content: 'y' }, { ifVersion: never }),
    notes.delete(id, { ifVersion: never }),
    notes.put({ id: 'nobody', userId: 'ada', content: 'y' }, { ifVersion: version }),
  ]) {
    expect(await refusal(attempt)).toMatchObject({ code: 'VERSION_CONFLICT', applied: 'no' });
  }
  expect(await notes.get(id)).toMatchObject({ version, entry: { content: 'x' } });
  expect(await notes.get({ id: 'nobody', userId: 'ada' })).toBeUndefined();
  await notes.delete(id);
});

test('nothing of all this is stored', async () => {
  for (const name of [RAW_NAMESPACE, 'versions', 'cursors', 'compares']) {
    expect((await grid.namespace(name).count({}, { read: 'strong' })).count, name).toBe(0);
  }
});
