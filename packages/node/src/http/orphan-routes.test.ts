import type { NodeReply, NodeRequest, NodeStatus, OrphanReply, OrphanStatus } from '@memgrid/core';
import { actorId, bareEntry, encodeValue, entryBodyField, nodeId } from '@memgrid/protocol';
import type { ShardId } from '@memgrid/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { adminSurface } from './admin-surface.ts';

const self = nodeId('a1'.repeat(16));

const PARKED: OrphanStatus = {
  shard: 12 as ShardId,
  orphan: 4_294_967_301,
  state: 'parked',
  namespace: 'notes',
  key: 'style',
  kind: 'put',
  version: {
    dot: { actor: actorId(self, 1), counter: 7 },
    timestamp: { ms: 1_800_000_000_000, counter: 1 },
  },
  expiresAt: 0,
  entry: encodeValue(entryBodyField, {
    ...bareEntry({ userId: 'ada' }),
    checksum: '',
    content: 'x'.repeat(200),
  }),
  bytes: 412,
};

const LISTED: OrphanReply = { kind: 'orphans', orphans: [PARKED], parked: 1, waiting: 3 };

function surfaceOf(reply: OrphanReply | NodeReply) {
  const asked: NodeRequest[] = [];
  const isNodeReply = reply.kind === 'failed';
  const server = adminSurface({
    version: '1.2.3',
    token: '',
    status: () => ({ nodeId: self }) as unknown as NodeStatus,
    request: async (body) => {
      asked.push(body);
      const whole = isNodeReply ? reply : { kind: 'orphans', reply: reply as OrphanReply };
      return await Promise.resolve(whole as NodeReply);
    },
    metrics: async () => await Promise.resolve({ contentType: 'text/x', text: '' }),
    onDefect: () => undefined,
  });
  onTestFinished(async () => await server.close());
  return { server, asked };
}

test('the list says what each is, when it was written and how it begins', async () => {
  const { server, asked } = surfaceOf(LISTED);
  const response = await server.inject('/orphans?limit=50');
  expect(response.json()).toEqual({
    answeredBy: self,
    parked: 1,
    waiting: 3,
    orphans: [
      {
        orphan: 4_294_967_301,
        shard: 12,
        state: 'parked',
        reason: expect.stringContaining('deletes of its time were forgotten') as string,
        namespace: 'notes',
        id: 'style',
        kind: 'put',
        version: expect.any(String) as string,
        writtenAt: 1_800_000_000_000,
        expiresAt: null,
        bytes: 412,
        preview: `${'x'.repeat(79)}…`,
      },
    ],
  });
  expect(asked).toEqual([{ kind: 'orphans', ask: { kind: 'listOrphans', limit: 50 } }]);
});

test('a delete has no preview, and what waits has no reason', async () => {
  const one = { ...PARKED, state: 'waiting', kind: 'delete', entry: new Uint8Array() } as const;
  const { server } = surfaceOf({ ...LISTED, orphans: [one] });
  expect((await server.inject('/orphans')).json()).toMatchObject({
    orphans: [{ kind: 'delete', preview: null, reason: null }],
  });
});

test('a decision is passed on, and its outcome told', async () => {
  const { version } = PARKED;
  const merging = surfaceOf({ kind: 'orphanMerging', orphan: 9, version });
  const merged = await merging.server.inject({
    method: 'POST',
    url: '/orphans/merge',
    payload: { orphan: 5 },
  });
  expect(merged.json()).toMatchObject({ orphan: 9 });
  expect(merging.asked).toEqual([{ kind: 'orphans', ask: { kind: 'mergeOrphan', orphan: 5 } }]);
  const dropping = surfaceOf({ kind: 'orphanDropped', orphan: 5 });
  const dropped = await dropping.server.inject({
    method: 'POST',
    url: '/orphans/drop',
    payload: { orphan: 5 },
  });
  expect(dropped.json()).toEqual({ orphan: 5 });
  expect(dropping.asked).toEqual([{ kind: 'orphans', ask: { kind: 'dropOrphan', orphan: 5 } }]);
});

test.each([
  { reason: 'absent', status: 404 },
  { reason: 'waiting', status: 409 },
  { reason: 'expired', status: 409 },
] as const)('$reason is $status', async ({ reason, status }) => {
  const { server } = surfaceOf({ kind: 'orphanRefused', reason });
  const payload = { orphan: 5 };
  const response = await server.inject({ method: 'POST', url: '/orphans/merge', payload });
  expect(response.statusCode).toBe(status);
});

test('a node that cannot say so is no defect', async () => {
  const { server } = surfaceOf({ kind: 'failed', reason: 'notFounded', detail: 'It waits.' });
  expect((await server.inject('/orphans')).statusCode).toBe(503);
});

test.each([{}, { orphan: 'x' }, { orphan: 0 }, { orphan: 5, all: true }, []])(
  '%j is answered with 400 and decides nothing',
  async (payload) => {
    const { server, asked } = surfaceOf(LISTED);
    const response = await server.inject({ method: 'POST', url: '/orphans/drop', payload });
    expect(response.statusCode).toBe(400);
    expect((await server.inject('/orphans?limit=0')).statusCode).toBe(400);
    expect(asked).toEqual([]);
  },
);
