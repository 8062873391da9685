import type { ShardsBody } from '@memgrid/node';
import { expect, onTestFinished, test } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import { recordedTerminal } from '../testing/recorded-terminal.ts';
import { ID, memberOf, stagedNode, statusOf } from '../testing/staged-node.ts';
import type { Answer, StagedNode } from '../testing/staged-node.ts';

// `expel` and `revive` against a real HTTP server that answers as a node would.

interface Staged {
  readonly liveness?: 'alive' | 'dead';
  readonly status?: 'normal' | 'expelled';
  readonly replicas?: readonly string[];
  /** Of the node, to what has to be decided. */
  readonly answer?: Answer;
}

const NOT_READY = { error: { code: 'NOT_READY', message: 'Nobody leads.', hint: 'Wait.' } };

/** A node `a` that knows `b`, and three shards with these copies. */
async function staged({
  liveness = 'dead',
  status = 'normal',
  replicas = [ID.a, ID.b],
  answer = { body: { status: 'done' } },
}: Staged = {}): Promise<StagedNode> {
  const node = await stagedNode((method, path): Answer => {
    if (method === 'POST') return answer;
    if (path === '/cluster/status') return { body: statusOf() };
    if (path === '/cluster/members') {
      const self = memberOf({ httpAddress: node.httpAddress, self: true });
      const other = memberOf({ nodeId: ID.b, address: '10.0.0.2:7700', liveness, status });
      return { body: { members: [self, other] } };
    }
    const shards = [1, 2, 3].map((shard) => ({ shard, stage: 'stable', replicas, next: [] }));
    return { body: { shards } as unknown as ShardsBody };
  });
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

/** What a person at the keyboard types; undefined for nobody there. */
async function run(node: StagedNode, argv: readonly string[], typed?: string) {
  const recorded = recordedTerminal();
  const ask = (): Promise<string> => Promise.resolve(typed ?? '');
  const terminal = typed === undefined ? recorded : { ...recorded, ask };
  const exitCode = await runCommandLine([...argv, '--node', node.url], terminal);
  const posted = node.asked.filter((line) => line.startsWith('POST'));
  return { exitCode, out: recorded.out(), err: recorded.err(), posted };
}

test('whoever expels is told what is lost, and nothing happens without a yes', async () => {
  const node = await staged();
  const refused = await run(node, ['expel', 'bbbb'], 'y');
  expect(refused).toMatchObject({ exitCode: 2, posted: [] });
  expect(refused.err).toContain('bbbbbbbb at 10.0.0.2:7700 is given up for good');
  expect(refused.err).toContain('With it 3 shards have no majority any more');
  const done = await run(node, ['expel', 'bbbb'], 'yes');
  expect(done.exitCode).toBe(0);
  expect(done.out).toContain(
    'bbbbbbbb is expelled. `memgrid revive` lets the closed shards go on.',
  );
  expect(done.posted).toEqual([`POST /cluster/members/expel  {"node":"${ID.b}"}`]);
});

test('where nobody can be asked, --yes has to be given', async () => {
  const node = await staged();
  const refused = await run(node, ['expel', 'bbbb']);
  expect(refused).toMatchObject({ exitCode: 2, posted: [] });
  expect(refused.err).toContain('--yes');
  expect((await run(node, ['expel', 'bbbb', '--yes'])).exitCode).toBe(0);
});

test('what still has a majority loses nothing', async () => {
  const node = await staged({ replicas: [ID.a, ID.c, ID.b] });
  const { err } = await run(node, ['expel', 'bbbb'], 'no');
  expect(err).toContain('nothing that was acknowledged is lost');
});

test.each([
  { what: 'a node that lives', given: { liveness: 'alive' } as const, node: 'bbbb', exitCode: 6 },
  { what: 'nobody', given: {}, node: 'dddd', exitCode: 5 },
  { what: 'who was before', given: { status: 'expelled' } as const, node: 'bbbb', exitCode: 0 },
])('expelling $what ends with $exitCode and asks nothing of the node', async (row) => {
  const node = await staged(row.given);
  const { exitCode, posted } = await run(node, ['expel', row.node, '--yes']);
  expect({ exitCode, posted }).toEqual({ exitCode: row.exitCode, posted: [] });
});

test('reviving names whose acknowledged writes are lost', async () => {
  const node = await staged({ status: 'expelled' });
  const refused = await run(node, ['revive'], '');
  expect(refused).toMatchObject({ exitCode: 2, posted: [] });
  expect(refused.err).toContain('acknowledged by bbbbbbbb only are lost');
  const done = await run(node, ['revive'], 'yes');
  expect(done).toMatchObject({ exitCode: 0, posted: ['POST /cluster/shards/revive  {}'] });
  expect(done.out).toBe('3 shards are revived.\n');
});

test('a dead node that is not expelled is nothing to revive without, and is named', async () => {
  const node = await staged();
  const { exitCode, out, err, posted } = await run(node, ['revive', '--yes']);
  expect({ exitCode, posted }).toEqual({ exitCode: 0, posted: [] });
  expect(out).toContain('nothing to revive');
  expect(err).toContain('bbbbbbbb is dead and not expelled');
});

test('shards without any copy left stay closed, and that is said', async () => {
  const node = await staged({ status: 'expelled', replicas: [ID.b] });
  const { out, err } = await run(node, ['revive', '--yes']);
  expect(out).toContain('nothing to revive');
  expect(err).toContain('Of 3 shards no copy is left: they stay closed.');
});

test('where nobody can decide, the way out is named', async () => {
  const node = await staged({ answer: { status: 503, body: NOT_READY } });
  const { exitCode, err } = await run(node, ['expel', 'bbbb', '--yes']);
  expect(exitCode).toBe(1);
  expect(err).toContain('error: Nobody leads.');
  expect(err).toContain('force-recover');
});
