import { decodeValue, entryBodyField, type Answer } from '@memgrid/protocol';
import { expect, test } from 'vitest';
import { DevCluster, type DevNode } from './dev-cluster.ts';
import { RawClient } from './raw-client.ts';
import { until } from './until.ts';

/** A client of a node that has let it in, as soon as it does. */
async function clientOf(node: DevNode): Promise<RawClient> {
  return await until(`${node.label} lets a client in`, async () => {
    const client = await RawClient.connect(node.address);
    await until('an answer to the hello', () => client.messages[0]);
    if (client.welcome !== undefined) return client;
    await client[Symbol.asyncDispose]();
    return undefined;
  });
}

function contentOf(answer: Answer | undefined): string | undefined {
  if (answer?.result.kind !== 'found') return undefined;
  return decodeValue(entryBodyField, answer.result.found.entry, 'entry').content;
}

/** A user whose shard this node is the primary of, as a client of any node was told. */
function userAt(client: RawClient, node: DevNode): string {
  const { placement } = client;
  const place = placement?.nodes.findIndex(({ nodeId }) => nodeId === node.nodeId);
  for (let user = 0; ; user += 1) {
    const shard = client.shardOf(`u${user}`, 'k');
    if (placement?.shards[shard]?.primary === place) return `u${user}`;
  }
}

test('what is put through one node is read through every other, and survives kill -9 of the primary', async () => {
  await using cluster = await DevCluster.start('--nodes', '3');
  const [first, second] = cluster.others;
  if (first === undefined || second === undefined) throw new Error('Two nodes are missing.');
  await using client = await clientOf(first);
  await using other = await clientOf(cluster.coordinator);
  const user = userAt(client, second);
  await until('the put is acknowledged', async () => {
    const answer = await client.put(user, 'k', 'tea');
    return answer?.result.kind === 'written' ? answer : undefined;
  });
  for (const reader of [client, other]) {
    expect(contentOf(await reader.get(user, 'k'))).toBe('tea');
    expect(contentOf(await reader.get(user, 'k', 'quorum'))).toBe('tea');
  }
  process.kill(second.pid, 'SIGKILL');
  for (const reader of [client, other]) {
    const found = await until('another primary serves', async () => {
      const answer = await reader.get(user, 'k');
      return answer?.result.kind === 'found' ? answer : undefined;
    });
    expect(contentOf(found)).toBe('tea');
  }
  const written = await until('a write is acknowledged again', async () => {
    const answer = await other.put(user, 'k', 'coffee');
    return answer?.result.kind === 'written' ? answer : undefined;
  });
  expect(written.result).toMatchObject({ acknowledged: 'quorum', autonomous: false });
  expect(contentOf(await client.get(user, 'k'))).toBe('coffee');
});
