import { shardOfEntry } from '@memgrid/protocol';
import type { ShardsBody } from '@memgrid/node';
import { expect, test } from 'vitest';
import { DevCluster, type DevNode } from './dev-cluster.ts';
import { memgrid } from './memgrid-process.ts';
import { until } from './until.ts';

/** A user whose entries have this node as their primary. */
async function userAt({ httpUrl, nodeId }: DevNode): Promise<string> {
  const response = await fetch(new URL('/cluster/shards', httpUrl));
  const { shards, shardCount } = (await response.json()) as ShardsBody;
  for (let number = 0; ; number += 1) {
    const userId = `u${number}`;
    const shard = shardOfEntry({ namespace: 'default', userId, key: '' }, shardCount);
    if (shards[shard]?.primary === nodeId) return userId;
  }
}

test('a write without a majority is unknown, and the command that is shown tells what became of it', async () => {
  await using cluster = await DevCluster.start('--nodes', '3');
  const node = cluster.coordinator;
  const user = await userAt(node);
  const grid = ['--user', user, '--nodes', node.address];
  await until('the cluster takes writes', async () => {
    const { exitCode } = await memgrid('put', 'first', '--id', 'first', ...grid);
    return exitCode === 0 ? true : undefined;
  });

  for (const { pid } of cluster.others) process.kill(pid, 'SIGSTOP');
  const lost = await memgrid('put', 'second', ...grid, '--timeout', '2s');
  expect(lost.exitCode).toBe(1);
  const { error } = lost.envelope;
  expect(error).toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringMatching(/within 2000 ms from shard \d+: /),
    operationId: expect.stringMatching(/^[0-9a-f]{8}-/),
  });
  const [, again = ''] = error?.hint?.split('\n') ?? [];
  const words = again.trim().split(' ');
  expect(words.slice(0, 4)).toEqual(['memgrid', 'put', '--operation-id', error?.operationId]);

  // Once the others are taken for dead, it is said who is missing.
  await until('the missing majority is named', async () => {
    const { envelope } = await memgrid('put', 'third', ...grid, '--timeout', '1s');
    const { message = '' } = envelope.error ?? {};
    return cluster.others.every(({ nodeId }) => message.includes(nodeId.slice(0, 8)))
      ? message
      : undefined;
  });

  for (const { pid } of cluster.others) process.kill(pid, 'SIGCONT');
  const asked = await until('the outcome is told', async () => {
    const { exitCode, envelope } = await memgrid(...words.slice(1), '--timeout', '5s');
    return exitCode === 0 ? envelope.data : undefined;
  });
  const repeated = await memgrid(...words.slice(1));
  expect(repeated.envelope.data).toMatchObject({ id: asked['id'], repeated: true });
  const { envelope } = await memgrid('list', '--all', '--read', 'strong', ...grid);
  const items = envelope.data['items'] as readonly { readonly content: string }[];
  expect(items.filter(({ content }) => content === 'second')).toHaveLength(1);
});
