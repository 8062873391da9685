import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { DevCluster, type DevNode } from './dev-cluster.ts';
import { memgrid, MemgridProcess } from './memgrid-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

const LINES = 2_000;

function writeTurns(file: string): void {
  const lines = Array.from({ length: LINES }, (_, at) =>
    JSON.stringify({ talk: 1 + (at % 7), speaker: `speaker-${at % 40}`, text: `Said as ${at}.` }),
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
}

const RULES = ['content={text}', 'userId={speaker}', 'runId=talk-{talk}', 'metadata.talk={talk}'];

/** A node of the cluster over the data that it had, at its former addresses. */
function startAgain(cluster: DevCluster, node: DevNode, seeds: string): MemgridProcess {
  const { address, httpUrl, label } = node;
  const data = path.join(cluster.ready.data, label);
  const places = ['--listen', address, '--http', new URL(httpUrl).host];
  return new MemgridProcess(['start', '--data', data, ...places, '--seeds', seeds]);
}

test('an import rides out kill -9 of a node, and every acknowledged entry is on every replica', async () => {
  using directory = new TemporaryDirectory();
  const turns = directory.file('turns.ndjson');
  const report = directory.file('turns.report');
  writeTurns(turns);
  await using cluster = await DevCluster.start('--nodes', '3');
  const nodes = cluster.nodes.map(({ address }) => address).join(',');
  const rules = RULES.flatMap((rule) => ['--set', rule]);
  const importing = [
    'import',
    turns,
    ...rules,
    '--nodes',
    nodes,
    '--report',
    report,
    // Few at a time, so that the kill falls into the middle.
    '--concurrency',
    '8',
  ];
  await using running = new MemgridProcess([...importing, '--json']);
  const victim = cluster.node(({ nodeId }) => nodeId !== cluster.ready.coordinator);
  let ended = false;
  void running.exit.then(() => (ended = true));
  await until('some lines are stored', async () => {
    if (ended) throw new Error(`The import ended: ${running.stdout}${running.stderr}`);
    const { envelope } = await memgrid('list', '--count', '--nodes', nodes);
    return ((envelope.data?.['count'] as number | undefined) ?? 0) > LINES / 20 ? true : undefined;
  });
  process.kill(victim.pid, 'SIGKILL');
  expect((await running.exit).exitCode, running.stderr + running.stdout).toBe(0);
  expect(JSON.parse(running.stdout)).toMatchObject({ data: { lines: LINES, failed: [] } });

  // Two copies of each are on nodes that answer; of the third nothing is known.
  const verified = await memgrid('verify', '--nodes', nodes, '--report', report);
  expect(verified.envelope.data).toMatchObject({
    entries: LINES,
    copies: 2 * LINES,
    unread: LINES,
    differences: [],
  });
  expect(verified.exitCode).toBe(8);

  // When the victim is back, the third copy is as right as the others.
  await using _back = startAgain(cluster, victim, nodes);
  await until('every copy is there', async () => {
    const all = await memgrid('verify', '--nodes', nodes, '--report', report);
    return all.exitCode === 0 && all.envelope.data?.['copies'] === 3 * LINES ? true : undefined;
  });

  // The same again stores nothing twice.
  const again = await memgrid('import', turns, ...rules, '--nodes', nodes);
  expect(again.envelope.data).toMatchObject({ stored: 0, present: LINES });
  const counted = await memgrid('list', '--count', '--nodes', nodes);
  expect(counted.envelope.data).toMatchObject({ count: LINES });
});
