import type { StatusBody } from '@memgrid/node';
import { expect, test } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import type { Envelope } from '../output/envelope.ts';
import { recordedTerminal } from '../testing/recorded-terminal.ts';
import { ID, memberOf, stagedNode, statusOf } from '../testing/staged-node.ts';
import type { Answer, StagedNode } from '../testing/staged-node.ts';

// Whole commands against real HTTP servers that answer as a node would.

interface Stage extends AsyncDisposable {
  readonly a: StagedNode;
  readonly b: StagedNode;
}

/** Two nodes that know each other; `b` says what it is told to. */
async function stage(said: Partial<StatusBody> | 'silence' = {}): Promise<Stage> {
  const nodes: StagedNode[] = [];
  const answers =
    (self: 'a' | 'b') =>
    (method: string, path: string): Answer => {
      if (self === 'b' && said === 'silence') return 'silence';
      if (path === '/cluster/status') {
        const own = self === 'b' && said !== 'silence' ? said : {};
        return { body: statusOf({ nodeId: ID[self], targetVoters: 1, ...own, raft: raftOfTwo() }) };
      }
      if (path === '/cluster/members') return { body: { members: members(self) } };
      if (method === 'POST') return { body: { coordinator: ID.b, before: ID.a } };
      return { status: 404, body: { error: { code: 'NOT_FOUND', message: 'Nothing.', hint: '' } } };
    };
  const members = (self: 'a' | 'b') =>
    (['a', 'b'] as const).map((name, at) =>
      memberOf({
        nodeId: ID[name],
        httpAddress: nodes[at]?.httpAddress ?? '',
        self: name === self,
        role: name === 'a' ? 'coordinator' : 'voter',
        liveness: self === 'b' && name === 'a' ? 'suspect' : 'alive',
      }),
    );
  const [a, b] = [await stagedNode(answers('a')), await stagedNode(answers('b'))];
  nodes.push(a, b);
  return {
    a,
    b,
    [Symbol.asyncDispose]: async () => {
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
    },
  };
}

function raftOfTwo(): StatusBody['raft'] {
  const raft = statusOf().raft as NonNullable<StatusBody['raft']>;
  return { ...raft, voters: [ID.a] };
}

async function json(...argv: string[]): Promise<{ exitCode: number; envelope: Envelope }> {
  const terminal = recordedTerminal();
  const exitCode = await runCommandLine([...argv, '--json'], terminal);
  return { exitCode, envelope: JSON.parse(terminal.out()) as Envelope };
}

test('status asks every member and says who answered', async () => {
  await using cluster = await stage();
  const { exitCode, envelope } = await json('status', '--node', cluster.a.url);
  expect(exitCode).toBe(0);
  expect(envelope).toMatchObject({
    ok: true,
    command: 'status',
    data: { coordinator: ID.a, term: 2, healthy: true, agreed: true, problems: [] },
    answeredBy: [ID.a, ID.b],
    missing: [],
  });
});

test('a silent member makes status partial, in time', async () => {
  await using cluster = await stage('silence');
  const argv = ['status', '--node', cluster.a.url, '--timeout', '200ms'];
  const { exitCode, envelope } = await json(...argv);
  expect(exitCode).toBe(8);
  expect(envelope).toMatchObject({ ok: true, missing: [ID.b], answeredBy: [ID.a] });
});

test('the first address may be down: the next is asked, and a warning says so', async () => {
  await using cluster = await stage();
  const { exitCode, envelope } = await json('status', '--node', `127.0.0.1:1,${cluster.a.url}`);
  expect(exitCode).toBe(0);
  expect(envelope.warnings.join()).toContain('http://127.0.0.1:1');
});

test('status for people fits on a screen and marks the asked node', async () => {
  await using cluster = await stage();
  const terminal = recordedTerminal();
  await runCommandLine(['status', '--node', cluster.a.url], terminal);
  expect(terminal.out()).toContain('aaaaaaaa*  coordinator  alive');
  expect(terminal.out()).toContain('healthy');
  expect(
    terminal
      .out()
      .split('\n')
      .every((line) => line.length <= 110),
  ).toBe(true);
});

test('members warns where another node sees a member differently', async () => {
  await using cluster = await stage();
  const { exitCode, envelope } = await json('members', '--node', cluster.a.url);
  expect(exitCode).toBe(7);
  expect(envelope.warnings).toEqual(['bbbbbbbb sees aaaaaaaa as suspect, not alive.']);
});

test('coordinator show needs everybody to agree', async () => {
  await using well = await stage();
  expect((await json('coordinator', 'show', '--node', well.a.url)).exitCode).toBe(0);
  await using split = await stage({ coordinator: ID.b });
  const { exitCode, envelope } = await json('coordinator', 'show', '--node', split.a.url);
  expect(exitCode).toBe(7);
  expect(envelope.data).toMatchObject({ coordinator: null, agreed: false });
});

test('handover asks the coordinator itself, whoever was asked first', async () => {
  await using cluster = await stage();
  const argv = ['coordinator', 'handover', '--to', 'bbbb', '--node', cluster.b.url];
  const { exitCode, envelope } = await json(...argv);
  expect(exitCode).toBe(0);
  expect(envelope.data).toEqual({ before: ID.a, coordinator: ID.b });
  expect(cluster.a.asked).toContain('POST /cluster/coordinator/handover  {"to":"bbbb"}');
});

test.each(['status', 'members'])(
  '%s of a node without a cluster says what it waits for',
  async (command) => {
    const body = statusOf({
      phase: 'discovering',
      clusterId: null,
      coordinator: null,
      raft: null,
      waitingFor: 'No answer yet from the seed 127.0.0.1:7701.',
      members: { alive: 0, suspect: 0, dead: 0, left: 0 },
    });
    await using node = await stagedNode((_, path) => ({
      body: path === '/cluster/members' ? { members: [] } : body,
    }));
    const terminal = recordedTerminal();
    expect(await runCommandLine([command, '--node', node.url], terminal)).toBe(7);
    expect(terminal.out()).toContain('waits for  No answer yet from the seed 127.0.0.1:7701.');
    expect(terminal.out()).toContain('aaaaaaaa at 127.0.0.1:7700');
    expect(terminal.out()).not.toContain('0 of 0');
  },
);
