import type { NodeReply, NodeRequest, NodeStatus } from '@memgrid/core';
import { nodeId } from '@memgrid/protocol';
import type { LogIndex } from '@memgrid/protocol';
import { expect, onTestFinished, test } from 'vitest';
import type { AdminSource } from './admin-source.ts';
import { ADMIN_PATHS, adminSurface } from './admin-surface.ts';

const self = nodeId('a1'.repeat(16));
const other = nodeId('b2'.repeat(16));
const TOKEN = 'a-secret-of-good-length';

const member = (id: string, address: string) => ({
  nodeId: id,
  generation: 1,
  incarnation: 0,
  liveness: 'alive',
  unstable: false,
  sinceMs: 0,
  meta: {
    address,
    httpAddress: '127.0.0.1:2',
    zone: 'z',
    weight: 100,
    loopLagP99Ms: 1,
    heapPercent: 10,
  },
});

const status = {
  nodeId: self,
  generation: 2,
  phase: 'member',
  clusterId: 'cc'.repeat(16),
  address: '127.0.0.1:1',
  httpAddress: '127.0.0.1:2',
  waitingFor: undefined,
  control: {
    index: 9,
    targetVoters: 3,
    features: {},
    level: 'normal',
    shardCount: 8,
    replicationFactor: 2,
    shards: [],
    members: [{ nodeId: self, generation: 2, status: 'normal', address: '127.0.0.1:1', zone: 'z' }],
  },
  election: {
    role: 'leader',
    term: 4,
    commit: 9,
    applied: 9,
    lastIndex: 9,
    config: { voters: [self], learners: [other] },
  },
  coordinator: self,
  members: [member(self, '127.0.0.1:1'), member(other, '127.0.0.1:3')],
  healthScore: 0,
  shards: [],
  moves: undefined,
  clients: { count: 0, feeds: 0 },
  connectedPeers: [other],
  clock: { suspect: false, remoteAheadCount: 0 },
} as unknown as NodeStatus;

interface Overrides extends Partial<AdminSource> {
  readonly reply?: NodeReply;
}

function surfaceOf(overrides: Overrides = {}) {
  const asked: NodeRequest[] = [];
  const defects: string[] = [];
  const { reply = { kind: 'readable', index: 9 as LogIndex }, ...source } = overrides;
  const server = adminSurface({
    version: '1.2.3',
    token: '',
    status: () => status,
    request: async (body) => {
      asked.push(body);
      return await Promise.resolve(reply);
    },
    metrics: async () => await Promise.resolve({ contentType: 'text/x', text: 'memgrid 1\n' }),
    onDefect: (route, problem) => defects.push(`${route}: ${problem}`),
    ...source,
  });
  onTestFinished(async () => await server.close());
  return { server, asked, defects };
}

test('every path of the index answers', async () => {
  const { server } = surfaceOf();
  const index = await server.inject('/');
  expect(index.json()).toMatchObject({ name: 'memgrid', version: '1.2.3', paths: ADMIN_PATHS });
  for (const path of Object.keys(ADMIN_PATHS)) {
    const method = path.endsWith('handover') ? 'POST' : 'GET';
    expect((await server.inject({ method, url: path })).statusCode, path).not.toBe(404);
  }
});

test('livez answers whatever the rest of the node does', async () => {
  const { server, asked } = surfaceOf({ status: () => undefined });
  const response = await server.inject('/livez');
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({ status: 'alive', phase: 'starting' });
  expect((await server.inject('/livez?verbose')).body).toBe('alive\n');
  expect(asked).toEqual([]);
});

test('readyz asks the control group', async () => {
  const { server, asked } = surfaceOf();
  const response = await server.inject('/readyz');
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({ status: 'ready', controlIndex: 9, shard: null });
  expect(asked).toEqual([{ kind: 'readIndex' }]);
});

test('readyz says why it is not ready', async () => {
  const { server } = surfaceOf({
    status: () => ({ ...status, waitingFor: 'No coordinator: 1 of 3 voters is in sight.' }),
    reply: { kind: 'failed', reason: 'noLeader', detail: 'nobody leads' },
  });
  const response = await server.inject('/readyz');
  expect(response.statusCode).toBe(503);
  expect(response.json()).toEqual({
    error: {
      code: 'NOT_READY',
      message: 'The control group does not answer through this node (noLeader: nobody leads).',
      hint: 'No coordinator: 1 of 3 voters is in sight.',
    },
  });
});

test.each(['/readyz', '/cluster/status', '/cluster/members'])(
  '%s answers 503 while the node starts',
  async (url) => {
    const { server } = surfaceOf({ status: () => undefined });
    const response = await server.inject(url);
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ error: { code: 'STARTING' } });
  },
);

test('status and members are JSON for scripts and text for people', async () => {
  const { server } = surfaceOf();
  expect((await server.inject('/cluster/status')).json()).toMatchObject({
    nodeId: self,
    coordinator: self,
    raft: { role: 'leader', term: 4, voters: [self], learners: [other] },
    members: { alive: 2, suspect: 0, dead: 0, left: 0 },
    waitingFor: null,
  });
  expect((await server.inject('/cluster/members')).json()).toMatchObject({
    answeredBy: self,
    members: [
      { nodeId: self, role: 'coordinator', status: 'normal', self: true },
      { nodeId: other, role: 'learner', status: null, liveness: 'alive', self: false },
    ],
  });
  const text = await server.inject('/cluster/members?verbose');
  expect(text.headers['content-type']).toMatch(/^text\/plain/);
  expect(text.body.split('\n')[1]).toMatch(/^a1a1a1a1\* +127\.0\.0\.1:1 +z +alive +normal +coord/);
  expect((await server.inject('/cluster/status?verbose')).body).toMatch(
    /^node +a1a1.*memgrid 1\.2/,
  );
});

test('metrics come as Prometheus wants them', async () => {
  const response = await surfaceOf().server.inject('/metrics');
  expect(response.headers['content-type']).toMatch(/^text\/x/);
  expect(response.body).toBe('memgrid 1\n');
});

test.each([
  [undefined, undefined],
  [{}, undefined],
  [{ to: other }, other],
  [{ to: 'b2b2' }, other],
])('a handover to %j asks for %s', async (payload, to) => {
  const { server, asked } = surfaceOf({ reply: { kind: 'handedOver', leader: other } });
  const response = await server.inject({
    method: 'POST',
    url: '/cluster/coordinator/handover',
    ...(payload === undefined ? {} : { payload }),
  });
  expect(response.json()).toEqual({ coordinator: other, before: self });
  expect(asked).toEqual([{ kind: 'handover', to }]);
});

test.each([
  [{ to: 'ffff' }, '0 members have an id that begins with "ffff".'],
  [{ to: 7 }, '"to" must be 4 to 32 hex digits of a node id, not 7.'],
  [[], 'The body must be {"to": nodeId} or empty.'],
  [{ target: 'b2b2' }, 'The body may have "to" and nothing else: target.'],
])('a handover to %j is refused', async (payload, message) => {
  const { server, asked } = surfaceOf();
  const response = await server.inject({
    method: 'POST',
    url: '/cluster/coordinator/handover',
    payload,
  });
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({ error: { code: 'BAD_REQUEST', message } });
  expect(asked).toEqual([]);
});

test('a handover that fails is a conflict with the reason', async () => {
  const { server } = surfaceOf({
    reply: { kind: 'failed', reason: 'badTarget', detail: 'not a voter' },
  });
  const response = await server.inject({ method: 'POST', url: '/cluster/coordinator/handover' });
  expect(response.statusCode).toBe(409);
  expect(response.json()).toMatchObject({
    error: { message: expect.stringContaining('badTarget: not a voter') as unknown },
  });
});

test('a handover asked of another node names the one to ask', async () => {
  const { server } = surfaceOf({
    reply: { kind: 'failed', reason: 'notLeader', detail: 'this node follows' },
  });
  const response = await server.inject({ method: 'POST', url: '/cluster/coordinator/handover' });
  expect(response.statusCode).toBe(409);
  expect(response.json()).toMatchObject({
    error: { code: 'NOT_COORDINATOR', hint: 'Ask http://127.0.0.1:2: only it can hand over.' },
  });
});

test.each([
  ['GET', '/nowhere', 404, 'NOT_FOUND'],
  ['POST', '/livez', 405, 'METHOD_NOT_ALLOWED'],
  ['GET', '/cluster/coordinator/handover', 405, 'METHOD_NOT_ALLOWED'],
  ['GET', '/%zz', 400, 'BAD_REQUEST'],
] as const)('%s %s answers %i in the usual shape', async (method, url, statusCode, code) => {
  const response = await surfaceOf().server.inject({ method, url });
  expect(response.statusCode).toBe(statusCode);
  expect(response.json()).toMatchObject({ error: { code } });
  expect(response.json<{ error: object }>().error).toHaveProperty('hint');
});

test.each([
  ['not JSON', '{"to', 'application/json', 400],
  ['too large', JSON.stringify({ to: 'x'.repeat(20_000) }), 'application/json', 413],
  ['another type', 'to=a', 'application/x-www-form-urlencoded', 415],
])('a body that is %s is refused', async (_name, payload, type, statusCode) => {
  const { server, asked, defects } = surfaceOf();
  const response = await server.inject({
    method: 'POST',
    url: '/cluster/coordinator/handover',
    payload,
    headers: { 'content-type': type },
  });
  expect(response.statusCode).toBe(statusCode);
  expect(response.json()).toHaveProperty('error.hint');
  expect(asked).toEqual([]);
  expect(defects).toEqual([]);
});

test('with a token, only probes may ask without showing it', async () => {
  const { server } = surfaceOf({ token: TOKEN });
  expect((await server.inject('/livez')).statusCode).toBe(200);
  expect((await server.inject('/readyz')).statusCode).toBe(200);
  for (const url of ['/', '/metrics', '/cluster/status', '/cluster/members', '/nowhere']) {
    const response = await server.inject(url);
    expect(response.statusCode, url).toBe(401);
    expect(response.json()).toMatchObject({ error: { code: 'UNAUTHORISED' } });
  }
  const headers = { authorization: `Bearer ${TOKEN}` };
  expect((await server.inject({ url: '/metrics', headers })).statusCode).toBe(200);
});

test('a web page is refused, whatever it asks', async () => {
  const { server, asked } = surfaceOf();
  const response = await server.inject({
    method: 'POST',
    url: '/cluster/coordinator/handover',
    headers: { origin: 'http://example.com' },
  });
  expect(response.statusCode).toBe(403);
  expect(asked).toEqual([]);
});

test('a defect is told to the operator and hidden from the caller', async () => {
  const { server, defects } = surfaceOf({
    status: () => {
      throw new Error('inner secret');
    },
  });
  const response = await server.inject('/cluster/status');
  expect(response.statusCode).toBe(500);
  expect(response.body).not.toContain('inner secret');
  expect(defects).toEqual(['/cluster/status: inner secret']);
});

const config = {
  shard: 3,
  epoch: 2,
  stage: 'stable',
  primary: self,
  replicas: [self, other],
  next: [],
};
const copy = {
  shard: 3,
  role: 'primary',
  active: true,
  complete: true,
  promised: 2,
  last: { epoch: 2, index: 8 },
  commit: 8,
  applied: 8,
  entries: 5,
};

function holding(overrides: object = {}, shard: object = {}): NodeStatus {
  const { control } = status;
  const configs = [{ ...config, ...overrides }];
  return {
    ...status,
    control: { ...control, shards: configs },
    shards: [{ ...copy, ...shard }],
    shardTotals: { active: 1, inactive: 0, replicas: 0, incomplete: 0, entries: 5 },
  } as unknown as NodeStatus;
}

function answering(result: object): AdminSource['request'] {
  const reply = { kind: 'answered', answer: { id: 0, shard: 3, result } };
  return async (body) =>
    await Promise.resolve(
      (body.kind === 'operation' ? reply : { kind: 'readable', index: 9 }) as unknown as NodeReply,
    );
}

test('readyz reads through a shard that this node serves', async () => {
  const { server } = surfaceOf({
    status: () => holding(),
    request: answering({ kind: 'absent', source: 'primary', stalenessMs: 0 }),
  });
  expect((await server.inject('/readyz')).json()).toMatchObject({ status: 'ready', shard: 3 });
  expect((await server.inject('/readyz?verbose')).body).toContain('shard 3 answered');
});

test.each<[string, object, object]>([
  ['answers with a failure', {}, { kind: 'failed', code: 'SHARD_UNAVAILABLE', message: 'Why.' }],
  ['does not serve', { active: false, complete: false }, { kind: 'absent' }],
])('readyz is not ready while its shard %s', async (_what, shard, result) => {
  const { server } = surfaceOf({
    status: () => holding({}, shard),
    request: answering(result),
  });
  const response = await server.inject('/readyz');
  expect(response.statusCode).toBe(503);
  expect(response.json()).toMatchObject({ error: { code: 'NOT_READY' } });
});

test('shards tells who owns what and how the own copies are', async () => {
  const { server } = surfaceOf({ status: () => holding() });
  const response = await server.inject('/cluster/shards');
  expect(response.json()).toEqual({
    answeredBy: self,
    controlIndex: 9,
    shardCount: 8,
    replicationFactor: 2,
    stages: { stable: 1, admit: 0, dual: 0, switch: 0 },
    nodes: [
      { nodeId: self, primaries: 1, replicas: 1, incoming: 0 },
      { nodeId: other, primaries: 0, replicas: 1, incoming: 0 },
    ],
    local: { active: 1, inactive: 0, replicas: 0, incomplete: 0, entries: 5 },
    moves: null,
    shards: [
      {
        ...config,
        local: {
          role: 'primary',
          active: true,
          complete: true,
          promised: 2,
          last: 8,
          commit: 8,
          applied: 8,
          entries: 5,
        },
      },
    ],
  });
  const { shards, ...summary } = response.json() as { shards: unknown };
  expect(shards).toHaveLength(1);
  expect((await server.inject('/cluster/shards?summary')).json()).toEqual(summary);
  const text = (await server.inject('/cluster/shards?verbose')).body;
  expect(text).toContain('8 shards, 2 copies each; 0 on the move');
  expect(text).toMatch(/a1a1a1a1\*\s+1\s+1\s+0/);
});

const third = 'c3'.repeat(16);
const withThird = (liveness: string) => [
  ...status.members,
  { ...member(third, '127.0.0.1:5'), liveness },
];

test.each<[string, NodeStatus, string | undefined]>([
  [
    'a majority stays',
    {
      ...holding({ replicas: [self, other, third] }),
      members: withThird('alive'),
      election: { ...status.election, config: { voters: [self, other, third], learners: [] } },
    } as unknown as NodeStatus,
    undefined,
  ],
  ['a shard would lose its majority', holding(), 'no majority of its replicas'],
  [
    'the control group would lose its majority',
    holding({ replicas: [other] }),
    'no majority of its voters',
  ],
  [
    'a shard is on the move',
    {
      ...holding({ stage: 'dual', replicas: [self, other, third], next: [other, third] }),
      members: withThird('alive'),
    } as unknown as NodeStatus,
    'is on the move',
  ],
  [
    'a replica is away already',
    {
      ...holding({ replicas: [self, other, third] }),
      members: withThird('dead'),
    } as unknown as NodeStatus,
    'has a replica that is away',
  ],
])('safe: %s', async (_what, seen, problem) => {
  const { server } = surfaceOf({ status: () => seen });
  const response = await server.inject('/safe');
  expect(response.statusCode).toBe(problem === undefined ? 200 : 503);
  if (problem === undefined) expect(response.json()).toEqual({ status: 'safe', nodeId: self });
  else expect(response.body).toContain(problem);
});

const committed: NodeReply = {
  kind: 'proposed',
  outcome: { kind: 'committed', index: 10 as LogIndex },
};

test('a dead node is expelled, a living one is not', async () => {
  const members = status.members.map((one) => ({ ...one, liveness: 'dead' as const }));
  const expel = { method: 'POST', url: '/cluster/members/expel' } as const;
  const dead = surfaceOf({ status: () => ({ ...status, members }), reply: committed });
  const response = await dead.server.inject({ ...expel, payload: { node: other } });
  expect(response.json()).toEqual({ nodeId: other, status: 'expelled' });
  expect(dead.asked).toEqual([
    { kind: 'propose', command: { kind: 'setStatus', nodeId: other, status: 'expelled' } },
  ]);
  const alive = surfaceOf({ reply: committed });
  const refused = await alive.server.inject({ ...expel, payload: { node: other } });
  expect(refused.statusCode).toBe(409);
  expect(alive.asked).toEqual([]);
});

test('shards are revived by a command, and a reason is given when there is nothing to revive', async () => {
  const revive = { method: 'POST', url: '/cluster/shards/revive' } as const;
  const { server, asked } = surfaceOf({ reply: committed });
  expect((await server.inject(revive)).statusCode).toBe(200);
  expect(asked).toEqual([{ kind: 'propose', command: { kind: 'reviveShards' } }]);
  const detail = 'There is no shard that lost its majority.';
  const idle = surfaceOf({ reply: { kind: 'failed', reason: 'invalid', detail } });
  const response = await idle.server.inject(revive);
  expect(response.statusCode).toBe(409);
  expect(response.json()).toMatchObject({ error: { code: 'CONFLICT', message: detail } });
});

test('a client that took the admin port for its own is told which one that is', async () => {
  const { server } = surfaceOf();
  const headers = { connection: 'Upgrade', upgrade: 'websocket' };
  const response = await server.inject({ url: '/client', headers });
  expect(response.statusCode).toBe(404);
  expect(response.json()).toMatchObject({
    error: { message: 'This is the admin port of a node; clients and peers use 127.0.0.1:1.' },
  });
});
