import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { DevCluster } from './dev-cluster.ts';
import { memgrid } from './memgrid-process.ts';
import { isRunning, until } from './until.ts';

test('kill -9 of the coordinator ends in a new one, visible on the others, and dev ends with 0', async () => {
  await using cluster = await DevCluster.start('--nodes', '3');
  const { coordinator, others, ready } = cluster;
  process.kill(coordinator.pid, 'SIGKILL');
  for (const other of others) {
    const data = await cluster.status(
      other,
      `a new coordinator at ${other.label}`,
      (seen) => seen.agreed && seen.coordinator !== coordinator.nodeId && seen.members.dead === 1,
    );
    expect(others.map(({ nodeId }) => nodeId)).toContain(data.coordinator);
    expect(data.term).toBeGreaterThan(ready.term);
    expect(data.clusterId).toBe(ready.clusterId);
  }
  expect(await cluster.dev.line('node.ended')).toMatchObject({
    nodeId: coordinator.nodeId,
    signal: 'SIGKILL',
  });
  await cluster.dev.line('coordinator.changed');
  cluster.dev.signal('SIGINT');
  expect(await cluster.dev.exit).toEqual({ exitCode: 0, signal: null });
  expect(cluster.nodes.filter(({ pid }) => isRunning(pid))).toEqual([]);
});

test('SIGTERM makes the coordinator hand its role over before it goes', async () => {
  await using cluster = await DevCluster.start();
  const { coordinator, others, ready } = cluster;
  process.kill(coordinator.pid, 'SIGTERM');
  const ended = await cluster.dev.line('node.ended');
  expect(ended).toMatchObject({ nodeId: coordinator.nodeId, exitCode: 0 });
  const [other] = others;
  if (other === undefined) throw new Error('There is no other node.');
  const data = await cluster.status(
    other,
    'a new coordinator after the hand-over',
    (seen) => seen.agreed && seen.coordinator !== coordinator.nodeId,
  );
  expect(data.term).toBeGreaterThan(ready.term);
  expect(data.members).toMatchObject({ alive: 2, dead: 0, left: 1 });
  // Handed over, and not merely gone: the old coordinator's own account of it.
  const log = readFileSync(path.join(ready.data, `${coordinator.label}.log`), 'utf8');
  const stepped = log.split('\n').find((line) => line.includes('coordinator.steppedDown'));
  expect(JSON.parse(stepped ?? '{}')).toMatchObject({ reason: 'transferred', term: ready.term });
});

test('a paused node is taken for dead, and is back when it goes on, without a restart', async () => {
  await using cluster = await DevCluster.start();
  const [paused, witness] = cluster.others;
  if (paused === undefined || witness === undefined) throw new Error('Two nodes are missing.');
  process.kill(paused.pid, 'SIGSTOP');
  const livenessOf = (seen: { nodes: readonly { nodeId: string; liveness: string }[] }) =>
    seen.nodes.find(({ nodeId }) => nodeId === paused.nodeId)?.liveness;
  await cluster.status(witness, 'the paused node is dead', (seen) => livenessOf(seen) === 'dead');
  process.kill(paused.pid, 'SIGCONT');
  const back = await cluster.status(
    witness,
    'the paused node is back',
    (seen) => seen.agreed && seen.members.alive === 3,
  );
  const node = back.nodes.find(({ nodeId }) => nodeId === paused.nodeId);
  expect(node?.generation).toBe(paused.generation);
  expect(back.clusterId).toBe(cluster.ready.clusterId);
});

test('a handover goes to the chosen node, and a bad target changes nothing', async () => {
  await using cluster = await DevCluster.start();
  const [target] = cluster.others;
  const asked = cluster.coordinator.httpUrl;
  const refused = await memgrid('coordinator', 'handover', '--to', 'ffffffff', '--node', asked);
  expect(refused.envelope.ok).toBe(false);
  expect(refused.exitCode).not.toBe(0);
  const to = target?.nodeId ?? '';
  const done = await memgrid('coordinator', 'handover', '--to', to, '--node', asked);
  expect(done.exitCode).toBe(0);
  expect(done.envelope.data).toEqual({ before: cluster.ready.coordinator, coordinator: to });
  const shown = await until('everybody agrees on the chosen one', async () => {
    const { envelope } = await memgrid('coordinator', 'show', '--node', asked);
    return envelope.data['coordinator'] === to && envelope.data['agreed'] === true
      ? envelope.data
      : undefined;
  });
  expect(shown['term']).toBeGreaterThan(cluster.ready.term);
});
