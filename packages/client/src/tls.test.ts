import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from './connect.ts';
import { FakeCluster } from './testing/fake-cluster.ts';

/** The certificates with which the nodes are tested. */
function pem(file: string): string {
  return readFileSync(new URL(`../../node/src/testdata/tls/${file}`, import.meta.url), 'utf8');
}

const NODE = { cert: pem('node.pem'), key: pem('node-key.pem'), ca: pem('ca.pem') };

async function started(): Promise<FakeCluster> {
  const cluster = await FakeCluster.start(1, NODE);
  onTestFinished(() => cluster.stop());
  return cluster;
}

test('over TLS with the authority of the nodes and a certificate of it', async () => {
  const cluster = await started();
  await using grid = await connect({ nodes: cluster.urls, tls: NODE });
  const { acknowledged } = await grid.namespace('notes').put({ userId: 'ada', content: 'x' });
  expect(acknowledged).toBe('quorum');
});

test.each([
  ['an authority that nobody trusts', {}],
  ['no certificate of its own', { ca: NODE.ca }],
  [
    'a certificate of a stranger',
    { ca: NODE.ca, cert: pem('stranger.pem'), key: pem('stranger-key.pem') },
  ],
])('with %s it is not let in', async (_what, tls) => {
  const cluster = await started();
  const connecting = connect({ nodes: cluster.urls, tls, connectTimeoutMs: 300 });
  await expect(connecting).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
});

test('without TLS a node that asks for it is not reached', async () => {
  const cluster = await started();
  const nodes = cluster.urls.map((url) => url.replace('wss://', 'ws://'));
  const connecting = connect({ nodes, connectTimeoutMs: 300 });
  await expect(connecting).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
});
