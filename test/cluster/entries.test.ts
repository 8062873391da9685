import { decodeValue, entryBodyField, type Answer, type FeedChanges } from '@memgrid/protocol';
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

test('a feed tells what changes, and who comes back is told what it missed', async () => {
  await using cluster = await DevCluster.start('--nodes', '1');
  const node = cluster.coordinator;
  await using client = await clientOf(node);
  await until('the put is acknowledged', async () => {
    const answer = await client.put('u1', 'k', 'tea');
    return answer?.result.kind === 'written' ? answer : undefined;
  });
  const shard = client.shardOf('u1', 'k');
  const scope = { namespace: '', userId: '', agentId: '', appId: '', runId: '' };
  const open = { shard, filter: { scope, key: '' }, keysOnly: false } as const;
  client.send({ type: 'feedOpen', feed: 1, ...open, after: -1 });
  await until('the feed is open', () => changesOf(client, 1)[0]);
  await client.put('u1', 'k', 'coffee');
  const changed = await until('the change', () =>
    changesOf(client, 1).find(({ changes }) => changes.length > 0),
  );
  expect(changed.changes.map(({ key, kind }) => [key, kind])).toEqual([['k', 'put']]);
  client.send({ type: 'feedOpen', feed: 2, ...open, after: changed.previous });
  const again = await until('the same change for who comes back', () =>
    changesOf(client, 2).find(({ changes }) => changes.length > 0),
  );
  expect(again.changes).toEqual(changed.changes);
});

function changesOf(client: RawClient, feed: number): readonly FeedChanges[] {
  return client.messages.filter(
    (message): message is FeedChanges => message.type === 'feedChanges' && message.feed === feed,
  );
}

test('whoever talks nonsense is told so and hung up on, and nobody else notices', async () => {
  await using cluster = await DevCluster.start('--nodes', '1');
  const node = cluster.coordinator;
  await using honest = await clientOf(node);
  const nonsense: readonly (readonly [string, (client: RawClient) => void, string])[] = [
    ['bytes', (client) => client.sendBytes(new Uint8Array([1, 2, 3])), 'badMessage'],
    ['an empty frame header', (client) => client.sendBytes(new Uint8Array(0)), 'badMessage'],
    [
      'a message that is too long for its frame',
      (client) => client.sendBytes(new Uint8Array([0x4d, 0x47, 1, 0, 255, 255, 255, 255])),
      'badMessage',
    ],
    [
      'an answer that nobody asked for',
      (client) => client.send({ type: 'answers', answers: [] }),
      'badMessage',
    ],
  ];
  for (const [what, say, reason] of nonsense) {
    await using client = await clientOf(node);
    say(client);
    await client.ended();
    expect(client.messages.at(-1), what).toMatchObject({ type: 'clientRefused', reason });
  }
  await using future = await RawClient.connect(node.address, 9);
  await future.ended();
  expect(future.messages).toMatchObject([
    { type: 'clientRefused', reason: 'protocol', protocolMin: 1, protocolMax: 1 },
  ]);
  await using silent = await RawClient.open(node.address);
  silent.send({ type: 'clientPing', token: 1 });
  await silent.ended();
  expect(silent.messages).toMatchObject([{ type: 'clientRefused', reason: 'badMessage' }]);
  expect((await honest.get('nobody', 'k'))?.result.kind).toBe('absent');
});
