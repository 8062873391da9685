import type { ShardsBody } from '@memgrid/node';
import { expect, onTestFinished, test } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import type { Envelope } from '../output/envelope.ts';
import { recordedTerminal } from '../testing/recorded-terminal.ts';
import { ID, memberOf, stagedNode, statusOf } from '../testing/staged-node.ts';
import type { Answer, StagedNode } from '../testing/staged-node.ts';

// Whole commands against real HTTP servers that answer as a node would.

const shard = (number: number, replicas: readonly string[], next: readonly string[] = []) => ({
  shard: number,
  epoch: 2,
  stage: next.length === 0 ? ('stable' as const) : ('dual' as const),
  primary: replicas[0] ?? '',
  replicas,
  next,
  local: null,
});

type Shards = ShardsBody['shards'];

function bodyOf(shards: Shards, controlIndex = 9): ShardsBody {
  const stages = { stable: 0, admit: 0, dual: 0, switch: 0 };
  for (const { stage } of shards) stages[stage] += 1;
  const nodes = [ID.a, ID.b].map((nodeId) => ({
    nodeId,
    primaries: shards.filter(({ primary }) => primary === nodeId).length,
    replicas: shards.filter(({ replicas }) => replicas.includes(nodeId)).length,
    incoming: 0,
  }));
  const active = shards.length;
  return {
    answeredBy: ID.a,
    controlIndex,
    shardCount: shards.length,
    replicationFactor: 2,
    stages,
    nodes,
    local: { active, inactive: 0, replicas: 0, incomplete: 0, entries: 1_234 },
    moves: null,
    shards,
  };
}

/** One node that knows another, which does not answer; `looks` are its answers, one after another. */
async function staged(...looks: readonly Shards[]): Promise<StagedNode> {
  let look = 0;
  const node = await stagedNode((method, path): Answer => {
    if (method === 'POST') return { body: { nodeId: ID.b, status: 'draining' } };
    if (path === '/cluster/status') return { body: statusOf() };
    if (path === '/cluster/members') {
      const self = memberOf({ httpAddress: node.httpAddress, self: true });
      const gone = memberOf({ nodeId: ID.b, liveness: 'left' });
      return { body: { members: [self, gone] } };
    }
    const shards = looks[Math.min(look, looks.length - 1)] ?? [];
    look += 1;
    return { body: bodyOf(shards) };
  });
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

async function json(...argv: string[]): Promise<{ exitCode: number; envelope: Envelope }> {
  const terminal = recordedTerminal();
  const exitCode = await runCommandLine([...argv, '--json'], terminal);
  return { exitCode, envelope: JSON.parse(terminal.out()) as Envelope };
}

test('shards at rest are good', async () => {
  const node = await staged([shard(0, [ID.a]), shard(1, [ID.a])]);
  const { exitCode, envelope } = await json('shards', '--node', node.url);
  expect(exitCode).toBe(0);
  expect(envelope.warnings).toEqual([]);
});

test('copies on a node that does not answer are no good, however still it is', async () => {
  const node = await staged([shard(0, [ID.a, ID.b]), shard(1, [ID.b, ID.a])]);
  const { exitCode, envelope } = await json('shards', '--node', node.url);
  expect(exitCode).toBe(7);
  expect(envelope.warnings).toContain(
    'bbbbbbbb does not answer: nothing is known of its 2 copies.',
  );
  expect(envelope.data).toMatchObject({
    shardCount: 2,
    stages: { stable: 2 },
    nodes: [
      { nodeId: ID.a, primaries: 1, replicas: 2, local: { entries: 1_234 } },
      { nodeId: ID.b, primaries: 1, replicas: 2, local: null },
    ],
  });
});

test('moves are shown, and are no good rest', async () => {
  const node = await staged([shard(0, [ID.a, ID.b], [ID.a])]);
  const terminal = recordedTerminal();
  const exitCode = await runCommandLine(['shards', '--node', node.url], terminal);
  expect(exitCode).toBe(7);
  expect(terminal.out().split('\n').slice(0, 5)).toEqual([
    '1 shards, 2 copies of each, 1 on the move',
    '',
    'NODE       STATUS  PRIMARY  REPLICA  INCOMING  OUTGOING  PARTIAL  COPIES OF ENTRIES',
    'aaaaaaaa*  normal        1        1         0         0        0              1,234',
    'bbbbbbbb   normal        0        1         0         1        -                  -',
  ]);
  expect(terminal.err()).toContain('1 shards are on the move');
});

test('fewer nodes than copies are told', async () => {
  const node = await staged([shard(0, [ID.a])]);
  const terminal = recordedTerminal();
  await runCommandLine(['shards', '--node', node.url], terminal);
  expect(terminal.out()).toContain('1 of 2 copies of each, none on the move');
});

test('--all has a line for each shard', async () => {
  const node = await staged([shard(0, [ID.a, ID.b]), shard(7, [ID.b, ID.a], [ID.a])]);
  const terminal = recordedTerminal();
  await runCommandLine(['shards', '--all', '--node', node.url], terminal);
  expect(terminal.out()).toContain('    7      2  dual    bbbbbbbb  bbbbbbbb aaaaaaaa  aaaaaaaa');
});

test('a cluster without shards yet says so', async () => {
  const node = await staged([]);
  const { exitCode, envelope } = await json('shards', '--node', node.url);
  expect(exitCode).toBe(7);
  expect(envelope.warnings).toEqual(['There are no shards yet.']);
});

test('a drain is waited for until nothing is left', async () => {
  const held = [shard(0, [ID.a, ID.b]), shard(1, [ID.b, ID.a])];
  const node = await staged(held, held, [shard(0, [ID.a]), shard(1, [ID.a])]);
  const { exitCode, envelope } = await json('drain', 'bbbb', '--node', node.url);
  expect(exitCode).toBe(0);
  // There is one other node, and there are to be two copies.
  expect(envelope.warnings).toEqual([expect.stringContaining('each has 1 of 2 copies') as string]);
  expect(envelope.data).toMatchObject({ nodeId: ID.b, left: 0, moved: 2 });
  expect(node.asked).toContain('POST /cluster/members/drain  {"node":"bbbb"}');
});

test('a value that is none is named before what would be right', async () => {
  const { exitCode, envelope } = await json('drain', 'zzz');
  expect(exitCode).toBe(2);
  expect(envelope.error?.message).toMatch(/^"zzz" is no node\. Give 4 to 32 hex digits/);
});

test('a drain that takes longer than one waits goes on, and says what is left', async () => {
  const node = await staged([shard(0, [ID.a, ID.b])]);
  const { exitCode, envelope } = await json('drain', 'bbbb', '--wait', '1ms', '--node', node.url);
  expect(exitCode).toBe(7);
  expect(envelope.data).toMatchObject({ nodeId: ID.b, left: 1 });
});

test.each([
  { argv: ['--no-wait'], path: 'drain', status: 'draining' },
  { argv: ['--undo'], path: 'undrain', status: 'normal' },
])('drain $argv only asks', async ({ argv, path, status }) => {
  const node = await staged([shard(0, [ID.b])]);
  const { exitCode, envelope } = await json('drain', 'bbbb', ...argv, '--node', node.url);
  expect(exitCode).toBe(0);
  expect(envelope.data).toEqual({ nodeId: ID.b, status });
  expect(node.asked).toContain(`POST /cluster/members/${path}  {"node":"bbbb"}`);
});
