import type { OrphanBody, OrphansBody } from '@memgrid/node';
import { expect, onTestFinished, test } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import type { Envelope } from '../output/envelope.ts';
import { recordedTerminal } from '../testing/recorded-terminal.ts';
import { ID, memberOf, stagedNode, statusOf } from '../testing/staged-node.ts';
import type { Answer, StagedNode } from '../testing/staged-node.ts';

// Whole commands against real HTTP servers that answer as a node would.

const PARKED: OrphanBody = {
  orphan: 4_294_967_301,
  shard: 12,
  state: 'parked',
  reason: 'It came after deletes of its time were forgotten.',
  namespace: 'notes',
  id: 'style',
  kind: 'put',
  version: '1.2.3',
  writtenAt: 1_778_248_567_000,
  expiresAt: null,
  bytes: 412,
  preview: 'Likes short\u001b[2J answers.',
};
const WAITING: OrphanBody = { ...PARKED, orphan: 4_294_967_302, state: 'waiting', reason: null };
const NAME = 'aaaaaaaa/4294967301';

/** One node; `lists` are what it keeps, at one look after another. */
async function staged(...lists: readonly (readonly OrphanBody[])[]): Promise<StagedNode> {
  let look = 0;
  const node = await stagedNode((method, path): Answer => {
    if (path === '/orphans/merge') return { body: { orphan: WAITING.orphan, version: '1.2.4' } };
    if (method === 'POST') return { body: { orphan: PARKED.orphan } };
    if (path === '/cluster/status') return { body: statusOf() };
    if (path === '/cluster/members') {
      return { body: { members: [memberOf({ httpAddress: node.httpAddress, self: true })] } };
    }
    const orphans = lists[Math.min(look, lists.length - 1)] ?? [];
    look += 1;
    const parked = orphans.filter(({ state }) => state === 'parked').length;
    const body: OrphansBody = {
      answeredBy: ID.a,
      parked,
      waiting: orphans.length - parked,
      orphans,
    };
    return { body };
  });
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

async function run(...argv: string[]): Promise<{ exitCode: number; out: string; err: string }> {
  const terminal = recordedTerminal();
  const exitCode = await runCommandLine(argv, terminal);
  return { exitCode, out: terminal.out(), err: terminal.err() };
}

function posted(node: StagedNode): readonly string[] {
  return node.asked.filter((line) => line.startsWith('POST'));
}

test('what is parked is shown with what it is and why, and is no good state', async () => {
  const node = await staged([PARKED, WAITING]);
  const { exitCode, out } = await run('orphans', 'list', '--node', node.url);
  expect(exitCode).toBe(7);
  for (const part of [NAME, '12', 'notes', 'style', '2026-05-08 13:56:07', '412', '1.2.3']) {
    expect(out).toContain(part);
  }
  expect(out).toContain('1 parked, 1 wait for their primary.');
  expect(out).toContain('Likes short answers.');
  expect(out).toContain('Parked: It came after deletes of its time were forgotten.');
  expect(out).not.toContain('4294967302');
});

test('--all shows what waits too, and --json everything there is to know', async () => {
  const node = await staged([PARKED, WAITING]);
  const { out } = await run('orphans', 'list', '--all', '--json', '--node', node.url);
  const { data } = JSON.parse(out) as Envelope;
  expect(data).toEqual({
    parked: 1,
    waiting: 1,
    orphans: [
      { name: NAME, nodeId: ID.a, ...PARKED },
      { name: 'aaaaaaaa/4294967302', nodeId: ID.a, ...WAITING },
    ],
  });
});

test('nothing parked is good', async () => {
  const node = await staged([]);
  const { exitCode, out } = await run('orphans', 'list', '--node', node.url);
  expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'Nothing is parked, none waits.\n' });
});

test('a merge waits until its primary has taken it', async () => {
  const node = await staged([PARKED], [WAITING], []);
  const { exitCode, out } = await run('orphans', 'merge', NAME, '--node', node.url);
  expect(exitCode).toBe(0);
  expect(out).toBe('"style" of notes is merged as version 1.2.4.\n');
  expect(posted(node)).toEqual(['POST /orphans/merge  {"orphan":4294967301}']);
});

test('a drop says what is lost, and needs a yes', async () => {
  const node = await staged([PARKED]);
  const refused = await run('orphans', 'drop', NAME, '--node', node.url);
  expect(refused.exitCode).toBe(2);
  expect(refused.err).toContain('What is lost: a put (412 bytes) of "style" in notes');
  expect(refused.err).toContain('--yes');
  expect(posted(node)).toEqual([]);
  const dropped = await run('orphans', 'drop', NAME, '--yes', '--node', node.url);
  expect(dropped.exitCode).toBe(0);
  expect(dropped.out).toContain(`${NAME} is dropped. What is lost: a put (412 bytes)`);
  expect(posted(node)).toEqual(['POST /orphans/drop  {"orphan":4294967301}']);
});

test.each([
  { name: 'aaaaaaaa/77', exitCode: 5, says: 'is not kept' },
  { name: 'bbbbbbbb/77', exitCode: 5, says: 'begins with "bbbbbbbb"' },
  { name: 'style', exitCode: 2, says: 'node/number' },
])('$name ends with $exitCode and changes nothing', async ({ name, exitCode, says }) => {
  const node = await staged([PARKED]);
  const ended = await run('orphans', 'drop', name, '--yes', '--node', node.url);
  expect(ended.exitCode).toBe(exitCode);
  expect(ended.err).toContain(says);
  expect(posted(node)).toEqual([]);
});
