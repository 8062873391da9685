import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DevCluster } from './dev-cluster.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { memgrid } from './memgrid-process.ts';
import { isRunning, until } from './until.ts';

test('three processes become one cluster, --for ends it with 0 and leaves nothing behind', async () => {
  await using cluster = await DevCluster.start('--for', '5s');
  const { nodes, ready } = cluster;
  expect(nodes).toHaveLength(3);
  expect(new Set(nodes.map(({ nodeId }) => nodeId)).size).toBe(3);
  expect(new Set(nodes.map(({ address }) => address)).size).toBe(3);
  for (const node of nodes) {
    const { exitCode, envelope } = await memgrid('status', '--node', node.httpUrl);
    expect(exitCode).toBe(0);
    expect(envelope.data).toMatchObject({
      clusterId: ready.clusterId,
      coordinator: ready.coordinator,
      agreed: true,
      members: { alive: 3, suspect: 0, dead: 0, left: 0 },
    });
    expect(envelope.answeredBy).toHaveLength(3);
  }
  expect(await cluster.dev.exit).toEqual({ exitCode: 0, signal: null });
  expect(cluster.dev.lines.at(-1)).toMatchObject({ event: 'cluster.stopped', ok: true });
  expect(nodes.filter(({ pid }) => isRunning(pid))).toEqual([]);
  expect(existsSync(ready.data)).toBe(false);
});

test('two clusters started at the same time never meet', async () => {
  const [first, second] = await Promise.all([DevCluster.start(), DevCluster.start()]);
  await using one = first;
  await using other = second;
  expect(one.ready.clusterId).not.toBe(other.ready.clusterId);
  const addresses = [...one.nodes, ...other.nodes].map(({ address }) => address);
  expect(new Set(addresses).size).toBe(6);
  const [node] = one.nodes;
  const { envelope } = await memgrid('members', '--node', node?.httpUrl ?? '');
  expect(envelope.data['members']).toHaveLength(3);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s stops every node in good order and ends with 0',
  async (signal) => {
    await using cluster = await DevCluster.start();
    cluster.dev.signal(signal);
    expect(await cluster.dev.exit).toEqual({ exitCode: 0, signal: null });
    expect(cluster.nodes.filter(({ pid }) => isRunning(pid))).toEqual([]);
    expect(existsSync(cluster.ready.data)).toBe(false);
  },
);

test('a signal to the whole process group is heard twice by every node and still in good order', async () => {
  await using cluster = await DevCluster.start();
  for (const { pid } of cluster.nodes) process.kill(pid, 'SIGTERM');
  cluster.dev.signal('SIGTERM');
  expect(await cluster.dev.exit).toEqual({ exitCode: 0, signal: null });
  expect(cluster.dev.lines.at(-1)).toMatchObject({ ok: true, killed: [], failed: [] });
});

test('nodes notice that dev was killed and leave by themselves', async () => {
  await using cluster = await DevCluster.start();
  cluster.dev.signal('SIGKILL');
  await cluster.dev.exit;
  await until('every node is gone', () =>
    cluster.nodes.some(({ pid }) => isRunning(pid)) ? undefined : true,
  );
});

test('a restart with the same data brings the same nodes back, a generation older', async () => {
  using directory = new TemporaryDirectory();
  const runs: DevCluster['ready'][] = [];
  for (let run = 0; run < 2; run += 1) {
    await using cluster = await DevCluster.start('--data', directory.file('grid'));
    runs.push(cluster.ready);
    cluster.dev.signal('SIGTERM');
    expect((await cluster.dev.exit).exitCode).toBe(0);
  }
  const [first, second] = runs;
  expect(second?.clusterId).toBe(first?.clusterId);
  expect(second?.term).toBeGreaterThan(first?.term ?? Infinity);
  expect(second?.nodes.map(({ nodeId }) => nodeId)).toEqual(
    first?.nodes.map(({ nodeId }) => nodeId),
  );
  expect(second?.nodes.map(({ generation }) => generation)).toEqual(
    first?.nodes.map(({ generation }) => generation + 1),
  );
});
