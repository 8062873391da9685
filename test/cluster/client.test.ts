import { connect, isClusterError } from '@memgrid/client';
import type { ConnectOptions, Grid, Namespace, Saved, WatchItem } from '@memgrid/client';
import { expect, test } from 'vitest';
import { DevCluster } from './dev-cluster.ts';
import { until } from './until.ts';

function urlsOf(cluster: DevCluster): readonly string[] {
  return cluster.nodes.map(({ address }) => `ws://${address}`);
}

async function connected(
  cluster: DevCluster,
  options: Partial<ConnectOptions> = {},
): Promise<Grid> {
  return await connect({ nodes: urlsOf(cluster), timeoutMs: 20_000, ...options });
}

test('entries over real processes: put, get, update, compare, delete, list, history, watch', async () => {
  await using cluster = await DevCluster.start('--nodes', '3');
  await using grid = await connected(cluster, { nodes: [urlsOf(cluster)[0] ?? ''] });
  await using other = await connected(cluster);
  const notes = grid.namespace('default');
  const watch = other.namespace('default').watch({ userId: 'ada' });
  await watch.ready;
  const saved = await notes.put({
    userId: 'ada',
    category: 'PATTERN',
    content: 'prefers tabs',
    metadata: { editor: { name: 'vi' } },
  });
  expect(saved).toMatchObject({ acknowledged: 'quorum', sync: 'disk', autonomous: false });
  for (const read of ['one', 'quorum', 'strong'] as const) {
    const found = await notes.get(saved.id, { read });
    expect(found).toMatchObject({ version: saved.version, entry: { content: 'prefers tabs' } });
  }
  const metadata = { editor: { name: 'emacs' } };
  const second = await notes.update(saved.id, { metadata }, { ifVersion: saved.version });
  const late: unknown = await notes
    .delete(saved.id, { ifVersion: saved.version })
    .catch((error: unknown) => error);
  expect(late).toMatchObject({
    code: 'VERSION_CONFLICT',
    applied: 'no',
    details: { current: second.version },
  });
  expect((await notes.list({ userId: 'ada' })).items).toHaveLength(1);
  expect((await notes.count({ userId: 'ada' })).count).toBe(1);
  const { steps } = await notes.history(saved.id);
  expect(steps.map(({ kind }) => kind)).toEqual(['put', 'update']);
  await notes.delete(saved.id);
  expect(await notes.get(saved.id)).toBeUndefined();
  const seen: WatchItem[] = [];
  for await (const item of watch) if (seen.push(item) === 3) break;
  expect(seen.map(({ kind }) => kind)).toEqual(['put', 'update', 'delete']);
});

test('the near cache hears of what others write', async () => {
  await using cluster = await DevCluster.start('--nodes', '3');
  await using grid = await connected(cluster, { nearCache: { bytesMax: 1_000_000 } });
  await using other = await connected(cluster);
  const notes = grid.namespace('default');
  const { id } = await notes.put({ userId: 'ada', content: 'one' });
  await until('an answer from the near cache', async () =>
    (await notes.get(id))?.source === 'near' ? true : undefined,
  );
  await other.namespace('default').update(id, { content: 'two' });
  await until('the new value in the near cache', () =>
    notes.peek(id)?.entry.content === 'one' ? undefined : true,
  );
  expect((await notes.get(id))?.entry.content).toBe('two');
});

/** Writes until told to stop; each outcome is known, or asked for again until it is. */
async function writeUntil(notes: Namespace, isOver: () => boolean): Promise<readonly Saved[]> {
  const saved: Saved[] = [];
  for (let at = 0; !isOver(); at += 1) {
    const entry = { id: `note-${at}`, userId: `user-${at % 50}`, content: `note ${at}` };
    try {
      saved.push(await notes.put(entry));
    } catch (error) {
      // It may or may not be there: then it does not count.
      if (!isClusterError(error) || error.applied === 'yes') throw error;
    }
  }
  return saved;
}

test('kill -9 of a node loses nothing that was acknowledged, and the session goes on', async () => {
  await using cluster = await DevCluster.start('--nodes', '3');
  await using grid = await connected(cluster);
  const notes = grid.namespace('default');
  let isOver = false;
  const writers = Array.from({ length: 8 }, (_, at) =>
    writeUntil(grid.namespace(`writer-${at}`), () => isOver),
  );
  await until('some writes', async () =>
    (await grid.namespace('writer-0').count()).count > 20 ? true : undefined,
  );
  process.kill(cluster.coordinator.pid, 'SIGKILL');
  // A write to every shard: each has a primary again.
  await Promise.all(
    Array.from({ length: 300 }, (_, at) => notes.put({ userId: `after-${at}`, content: 'x' })),
  );
  isOver = true;
  const saved = await Promise.all(writers);
  for (const [at, written] of saved.entries()) {
    const namespace = grid.namespace(`writer-${at}`);
    const found = await namespace.batch(
      written.map(({ id }) => ({
        kind: 'get',
        ref: { id, userId: `user-${Number(id.slice(5)) % 50}` },
        options: { read: 'quorum' },
      })),
    );
    const versions = found.map((it) => (it.ok && it.kind === 'get' ? it.found?.version : it));
    expect(versions).toEqual(written.map(({ version }) => version));
  }
});

test('a session that lost every connection goes on when a node is back', async () => {
  await using cluster = await DevCluster.start('--nodes', '3');
  await using grid = await connected(cluster);
  const notes = grid.namespace('default');
  const { id } = await notes.put({ userId: 'ada', content: 'before' });
  const token = grid.token();
  for (const { pid } of cluster.nodes) process.kill(pid, 'SIGSTOP');
  const waiting = notes.get(id, { read: 'strong' });
  const short: unknown = await notes
    .put({ userId: 'ada', content: 'x' }, { timeoutMs: 300 })
    .catch((error: unknown) => error);
  expect(short).toMatchObject({ applied: 'unknown' });
  for (const { pid } of cluster.nodes) process.kill(pid, 'SIGCONT');
  expect((await waiting)?.entry.content).toBe('before');
  await using later = await connected(cluster, { atLeast: token });
  expect((await later.namespace('default').get(id))?.entry.content).toBe('before');
});
