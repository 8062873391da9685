import path from 'node:path';
import { expect, test } from 'vitest';
import { DevCluster } from './dev-cluster.ts';
import { MemgridProcess, memgrid } from './memgrid-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

function startNode(data: string): MemgridProcess {
  const anywhere = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  return new MemgridProcess(['start', '--json', '--data', data, ...anywhere]);
}

test('one survivor goes on alone after its two peers are lost, and these stay out', async () => {
  using directory = new TemporaryDirectory();
  const data = directory.file('data');
  await using cluster = await DevCluster.start('--nodes', '3', '--data', data);
  const [survivor, lost] = cluster.nodes;
  if (survivor === undefined || lost === undefined) throw new Error('Two nodes are missing.');
  const home = path.join(data, survivor.label);
  const running = await memgrid('coordinator', 'force-recover', '--data', home, '--yes');
  expect(running.exitCode).toBe(6);
  expect(running.envelope.error?.code).toBe('DIRECTORY_LOCKED');
  cluster.dev.signal('SIGINT');
  await cluster.dev.exit;

  const looked = await memgrid('coordinator', 'force-recover', '--data', home);
  expect(looked.envelope.data).toMatchObject({ applied: false, nodeId: survivor.nodeId });
  expect(looked.envelope.data['expelled']).toHaveLength(2);
  const done = await memgrid('coordinator', 'force-recover', '--data', home, '--yes');
  expect(done.envelope.data).toMatchObject({ applied: true, groupEpoch: 2 });

  await using alone = startNode(home);
  const started = await alone.line('node.started');
  const httpUrl = `http://${String(started['httpAddress'])}`;
  await until('the survivor coordinates alone', async () => {
    const { envelope } = await memgrid('coordinator', 'show', '--node', httpUrl);
    return envelope.data?.['coordinator'] === survivor.nodeId ? true : undefined;
  });
  // Asked of the survivor alone: its old peers are expelled and not missing.
  const { envelope } = await memgrid('members', '--node', httpUrl);
  expect(envelope.data['members']).toHaveLength(3);
});

test('a directory that never belonged to a group has nothing to recover from', async () => {
  using directory = new TemporaryDirectory();
  const empty = await memgrid('coordinator', 'force-recover', '--data', directory.path, '--yes');
  expect(empty.exitCode).toBe(2);
  expect(empty.envelope.error?.message).toMatch(/holds no log of a control group/);
  const nowhere = directory.file('nowhere');
  const missing = await memgrid('coordinator', 'force-recover', '--data', nowhere, '--yes');
  expect(missing.exitCode).toBe(5);
});
