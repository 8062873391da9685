import { connect, isClusterError } from '@memgrid/client';
import type { ConnectOptions, Grid, Namespace, Saved, WatchItem } from '@memgrid/client';
import { setTimeout as wait } from 'node:timers/promises';
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

/** Whether a call was answered; false when it failed as calls may while nodes are away. */
function isDone(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    (error: unknown) => {
      if (isClusterError(error)) return false;
      throw error;
    },
  );
}

interface Acknowledged {
  readonly at: number;
  readonly value: number;
}

test('the near cache never goes back and serves nothing older than its bound, through a kill and a pause', async () => {
  await using cluster = await DevCluster.start('--nodes', '5');
  await using writer = await connected(cluster);
  const maxStalenessMs = 1_000;
  await using reader = await connected(cluster, { nearCache: { bytesMax: 1e6, maxStalenessMs } });
  let isOver = false;
  let nearCount = 0;
  const problems: string[] = [];
  const follow = async (at: number): Promise<void> => {
    const { id } = await writer.namespace('default').put({ userId: `u${at}`, content: '0' });
    const acknowledged: Acknowledged[] = [];
    // Another session knows nothing of the entry, unless it is told.
    reader.atLeast(writer.token());
    const writing = (async () => {
      for (let value = 1; !isOver; value += 1) {
        // While nobody leads the shard there may be no answer; then the value does not count.
        const update = writer.namespace('default').update(id, { content: String(value) });
        if (await isDone(update)) acknowledged.push({ at: performance.now(), value });
        await wait(50);
      }
    })();
    for (let newest = 0; !isOver;) {
      const begunAt = performance.now();
      const read = reader.namespace('default').get(id);
      const found = (await isDone(read)) ? await read : undefined;
      await wait(10);
      if (found === undefined) continue;
      const value = Number(found.entry.content);
      if (!(value >= newest)) problems.push(`${value} after ${newest}`);
      newest = value;
      if (found.source === 'near') {
        nearCount += 1;
        const due = acknowledged.findLast((it) => it.at <= begunAt - maxStalenessMs)?.value ?? 0;
        if (value < due) problems.push(`${value} where ${due} was due`);
      }
    }
    await writing;
  };
  const following = Array.from({ length: 10 }, (_, at) => follow(at));
  const [killed, paused] = cluster.others;
  if (killed === undefined || paused === undefined) throw new Error('Two nodes are missing.');
  const dead = (count: number) =>
    cluster.status(cluster.coordinator, `${count} dead`, ({ members }) => members.dead === count);
  const served = async (): Promise<void> => {
    const before = nearCount;
    await until('more hits', () => (nearCount > before + 200 ? true : undefined));
  };
  // One after the other: two of three replicas at once would be no majority.
  await served();
  process.kill(paused.pid, 'SIGSTOP');
  await dead(1);
  await served();
  process.kill(paused.pid, 'SIGCONT');
  await dead(0);
  await served();
  process.kill(killed.pid, 'SIGKILL');
  await dead(1);
  await served();
  isOver = true;
  await Promise.all(following);
  expect(problems).toEqual([]);
});
