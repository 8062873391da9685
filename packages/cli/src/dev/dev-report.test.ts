import { expect, test } from 'vitest';
import { recordedTerminal } from '../testing/recorded-terminal.ts';
import { ID } from '../testing/staged-node.ts';
import { jsonReport, textReport } from './dev-report.ts';
import type { DevReport } from './dev-report.ts';
import type { LocalNode } from './local-cluster.ts';
import type { Ending } from './node-process.ts';

function nodeOf(label: string, nodeId: string, port: number): LocalNode {
  return {
    label,
    nodeId,
    generation: 1,
    address: `127.0.0.1:${port}`,
    httpUrl: `http://127.0.0.1:${port + 80}`,
    data: `somewhere/${label}`,
    process: {
      pid: port,
      ending: undefined,
      ended: Promise.withResolvers<Ending>().promise,
      logTail: () => ['the last line of the log'],
    },
  };
}

const NODES = [nodeOf('n1', ID.a, 7700), nodeOf('n2', ID.b, 7701), nodeOf('n3', ID.c, 7702)];

function tellEverything(report: DevReport, nodes: readonly LocalNode[] = NODES): void {
  const [first] = nodes;
  if (first === undefined) throw new Error('There is no node.');
  report.ready({
    nodes,
    clusterId: 'f'.repeat(32),
    coordinator: ID.b,
    term: 2,
    tookMs: 1_100,
    directory: { path: 'somewhere', temporary: true, formerNodes: 0 },
  });
  report.ended(first, { exitCode: null, signal: 'SIGKILL' });
  report.changed({ event: 'coordinator.lost', coordinator: ID.b });
  report.changed({ event: 'coordinator.changed', coordinator: ID.c, before: ID.b, term: 3 });
  report.changed({ event: 'member.changed', nodeId: ID.a, liveness: 'dead', before: 'alive' });
  report.stopping('SIGINT');
  report.stopped({ killed: [], failed: [] }, true);
}

test('for people: one screen with what to do next, then a line for each thing', () => {
  const terminal = recordedTerminal();
  tellEverything(textReport(terminal));
  const text = terminal.out();
  expect(text).toContain('3 nodes, one cluster after 1.1 s');
  expect(text).toContain('n2    bbbbbbbb  coordinator  127.0.0.1:7701     http://127.0.0.1:7781');
  expect(text).toContain('memgrid status\n');
  expect(text).toContain('kill -9 7701');
  expect(text).toContain('n1 (aaaaaaaa) was killed by SIGKILL.');
  expect(text).toContain('start --data somewhere/n1 \\\n');
  expect(text).toContain('--listen 127.0.0.1:7700 --http 127.0.0.1:7780 --profile local\n');
  expect(text).toContain('No coordinator: n2 (bbbbbbbb) lost the role or went silent.');
  expect(text).toContain('New coordinator: n3 (cccccccc), term 3.');
  expect(text).toContain('Stopping (SIGINT) …');
  expect(text).toContain('Every node has stopped.');
  expect(text.split('\n').every((line) => line.length <= 100)).toBe(true);
});

test('ports that are not the usual ones are named for this command and for all others', () => {
  const terminal = recordedTerminal();
  tellEverything(textReport(terminal), [nodeOf('n1', ID.b, 41_000)]);
  expect(terminal.out()).toContain('--node http://127.0.0.1:41080');
  expect(terminal.out()).toContain(
    'export MEMGRID_NODES=127.0.0.1:41000 MEMGRID_NODE=http://127.0.0.1:41080',
  );
  // With one node there is nobody to take over.
  expect(terminal.out()).not.toContain('kill -9');
});

test('for programs: one object a line, each with its event and a time', () => {
  const terminal = recordedTerminal();
  tellEverything(jsonReport(terminal));
  const lines = terminal
    .out()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; time: string });
  expect(lines.map(({ event }) => event)).toEqual([
    'cluster.ready',
    'node.ended',
    'coordinator.lost',
    'coordinator.changed',
    'member.changed',
    'cluster.stopping',
    'cluster.stopped',
  ]);
  for (const { time } of lines) expect(time).toMatch(/^\d{4}-\d\d-\d\dT.+Z$/);
  expect(lines[0]).toMatchObject({
    coordinator: ID.b,
    nodes: [{ label: 'n1', pid: 7700, httpUrl: 'http://127.0.0.1:7780' }, {}, {}],
  });
});

test('a node that failed by itself shows its last words', () => {
  const terminal = recordedTerminal();
  const report = textReport(terminal);
  const [first] = NODES;
  if (first === undefined) throw new Error('There is no node.');
  report.ended(first, { exitCode: 1, signal: null });
  expect(terminal.out()).toContain('ended with exit code 1');
  expect(terminal.out()).toContain('the last line of the log');
  report.ended(first, { exitCode: 0, signal: null });
  expect(terminal.out()).toContain('has left, asked by somebody else');
});

test('what had to be killed at the end is named', () => {
  const terminal = recordedTerminal();
  textReport(terminal).stopped({ killed: ['n1'], failed: ['n2'] }, false);
  expect(terminal.out()).toContain('Killed, did not stop in time: n1.');
  expect(terminal.out()).toContain('Stopped with an error: n2.');
  expect(terminal.out()).toContain('Not every node stopped well.');
});
