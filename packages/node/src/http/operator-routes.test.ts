import type { NodeReply, NodeRequest, NodeStatus } from '@memgrid/core';
import { nodeId, type LogIndex } from '@memgrid/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { adminSurface } from './admin-surface.ts';

const self = nodeId('a1'.repeat(16));
const other = nodeId('b2'.repeat(16));

const registered = (id: string, status: string) => ({
  nodeId: id,
  generation: 1,
  status,
  address: '127.0.0.1:1',
  zone: 'z',
});

const STATUS = {
  nodeId: self,
  members: [],
  control: {
    members: [registered(self, 'normal'), registered(other, 'draining')],
    schemas: { schemas: [], namespaces: [{ namespace: 'notes', schema: 'note' }] },
  },
} as unknown as NodeStatus;

const COMMITTED: NodeReply = {
  kind: 'proposed',
  outcome: { kind: 'committed', index: 9 as LogIndex },
};

function surfaceOf(reply: NodeReply = COMMITTED) {
  const asked: NodeRequest[] = [];
  const server = adminSurface({
    version: '1.2.3',
    token: '',
    status: () => STATUS,
    request: async (body) => {
      asked.push(body);
      return await Promise.resolve(reply);
    },
    metrics: async () => await Promise.resolve({ contentType: 'text/x', text: '' }),
    onDefect: () => undefined,
  });
  onTestFinished(async () => await server.close());
  const post = async (url: string, payload: object) => {
    const response = await server.inject({ method: 'POST', url, payload });
    return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
  };
  return { server, post, asked };
}

test('a drain becomes a command, and one that is under way becomes none', async () => {
  const { post, asked } = surfaceOf();
  const drained = await post('/cluster/members/drain', { node: 'a1a1' });
  expect(drained).toEqual({ status: 200, body: { nodeId: self, status: 'draining' } });
  const command = { kind: 'setStatus', nodeId: self, status: 'draining' };
  expect(asked).toEqual([{ kind: 'propose', command }]);
  expect((await post('/cluster/members/drain', { node: other })).status).toBe(200);
  expect(asked).toHaveLength(1);
  expect((await post('/cluster/members/undrain', { node: other })).status).toBe(200);
  expect(asked).toHaveLength(2);
});

test.each([
  { payload: {}, status: 400 },
  { payload: { node: 'zz' }, status: 400 },
  { payload: { node: 'a1a1', now: true }, status: 400 },
  { payload: { node: 'ffff' }, status: 404 },
])('$payload is answered with $status and proposes nothing', async ({ payload, status }) => {
  const { post, asked } = surfaceOf();
  expect((await post('/cluster/members/drain', payload)).status).toBe(status);
  expect(asked).toEqual([]);
});

const NOTE = { name: 'note', version: 1, body: { type: 'object' } };

test('a schema is checked and compiled before it is proposed', async () => {
  const { post, asked } = surfaceOf();
  const defined = await post('/cluster/schemas', NOTE);
  expect(defined.body).toEqual({
    name: 'note',
    version: 1,
    fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
  });
  expect(asked).toEqual([{ kind: 'propose', command: { kind: 'defineSchema', definition: NOTE } }]);
});

test.each([
  { what: 'no schema', payload: { name: 'note' } },
  { what: 'a pattern that is none', payload: { ...NOTE, body: { pattern: '(' } } },
  { what: 'a reference', payload: { ...NOTE, body: { $ref: '#' } } },
])('$what is refused and not proposed', async ({ payload }) => {
  const { post, asked } = surfaceOf();
  expect((await post('/cluster/schemas', payload)).status).toBe(400);
  expect(asked).toEqual([]);
});

test('a schema of the largest size fits into a request, spread over lines', async () => {
  const { server, asked } = surfaceOf();
  const title = 'x'.repeat(32_000);
  const payload = JSON.stringify({ ...NOTE, body: { title } }, undefined, 8);
  const headers = { 'content-type': 'application/json' };
  const request = { method: 'POST', url: '/cluster/schemas', payload, headers } as const;
  expect((await server.inject(request)).statusCode).toBe(200);
  expect(asked).toHaveLength(1);
});

test('committing, binding and listing', async () => {
  const { server, post, asked } = surfaceOf();
  await post('/cluster/schemas/commit', { name: 'note', version: 2 });
  await post('/cluster/schemas/bind', { namespace: 'notes', name: 'note' });
  expect(asked.map((request) => request.kind === 'propose' && request.command)).toEqual([
    { kind: 'commitSchema', schema: 'note', version: 2 },
    { kind: 'bindNamespace', namespace: 'notes', schema: 'note' },
  ]);
  expect((await server.inject('/cluster/schemas')).json()).toEqual(STATUS.control?.schemas);
  expect((await post('/cluster/schemas/commit', { name: 'note' })).status).toBe(400);
});

test.each([
  {
    reply: { kind: 'failed', reason: 'invalid', detail: 'version 2 is missing.' },
    status: 409,
    code: 'CONFLICT',
  },
  {
    reply: { kind: 'failed', reason: 'noLeader', detail: 'nobody leads.' },
    status: 503,
    code: 'NOT_READY',
  },
  { reply: { kind: 'proposed', outcome: { kind: 'unknown' } }, status: 503, code: 'NOT_READY' },
] as { reply: NodeReply; status: number; code: string }[])(
  'a command that was not taken is answered with $status',
  async ({ reply, status, code }) => {
    const { post } = surfaceOf(reply);
    const answer = await post('/cluster/schemas', NOTE);
    expect(answer).toMatchObject({ status, body: { error: { code } } });
  },
);
