import { expect, onTestFinished, test } from 'vitest';
import { isClusterError } from '@memgrid/protocol';
import { connect } from './connect.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { Grid } from './grid.ts';
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
});

test('a write with an old version is refused and says the current one', async () => {
  const grid = await connected(await started());
  const notes = grid.namespace('notes');
  const saved = await notes.put({ userId: 'ada', content: 'one' });
  const second = await notes.update(saved.id, { content: 'two' });
  const error: unknown = await notes
    .update(saved.id, { content: 'three' }, { ifVersion: saved.version })
    .catch((caught: unknown) => caught);
  expect(isClusterError(error, 'VERSION_CONFLICT') && error.applied).toBe('no');
  expect((await notes.get(saved.id))?.version).toBe(second.version);
});
