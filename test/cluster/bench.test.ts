import { readFileSync } from 'node:fs';
import type { BenchReport } from 'memgrid/bench';
import { expect, test } from 'vitest';
import { DevCluster, type DevNode } from './dev-cluster.ts';
import { memgrid, MemgridProcess } from './memgrid-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

interface BenchData {
  readonly report: BenchReport;
  readonly namespace: string;
  readonly entries: 'deleted' | 'kept' | 'notDeleted';
}

/** What every run here has in common: short, and cheap for the disk. */
const SMALL = ['--entries', '300', '--sync', 'memory', '--warmup', '0'];

async function entriesIn(namespace: string, node: DevNode): Promise<number> {
  const argv = ['--namespace', namespace, '--nodes', node.address, '--read', 'strong'];
  const { envelope } = await memgrid('list', ...argv);
  return (envelope.data as unknown as { readonly items: readonly unknown[] }).items.length;
}

test('every workload of memgrid bench is measured, drawn and tidied up after', async () => {
  await using cluster = await DevCluster.start('--nodes', '1');
  const node = cluster.coordinator;
  using directory = new TemporaryDirectory();
  const svg = directory.file('bench.svg');
  const markdown = directory.file('bench.md');
  const workloads = ['set', 'get', 'mix', 'batch', 'list', 'cas', 'near', 'watch'];
  const { envelope, exitCode } = await memgrid(
    'bench',
    ...['--nodes', node.address, '--workload', workloads.join(','), ...SMALL],
    ...['--seconds', '1', '--rounds', '1', '--in-flight', '8', '--watchers', '2'],
    ...['--svg', svg, '--markdown', markdown],
  );
  expect(envelope).toMatchObject({ ok: true, warnings: [] });
  expect(exitCode).toBe(0);
  const { report, namespace, entries } = envelope.data as unknown as BenchData;
  expect(report.rows.map(({ plan, end }) => [plan.workload, end])).toEqual(
    workloads.map((workload) => [workload, 'complete']),
  );
  for (const { numbers } of report.rows) {
    expect(numbers?.perSecond).toBeGreaterThan(0);
    expect(numbers?.latencyMs.p50).toBeGreaterThan(0);
    expect(numbers?.clientCpuUs).toBeGreaterThan(0);
  }
  expect(report.rows.at(-1)?.numbers?.watch).toMatchObject({ watchers: 2, missing: 0, gaps: 0 });
  expect(report).toMatchObject({ partial: false, configuration: { entries: 300, sync: 'memory' } });
  expect(entries).toBe('deleted');
  expect(await entriesIn(namespace, node)).toBe(0);
  expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
  expect(readFileSync(markdown, 'utf8')).toContain('| near, 8 in flight | memgrid |');
});

/** Answers that a node has given to clients, by its own account. */
async function answered(node: DevNode): Promise<number> {
  const response = await fetch(`${node.httpUrl}/metrics`);
  const counts = (await response.text()).matchAll(/^memgrid_operations_total\{.*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** A run that would take an hour, and is in the middle of it. */
async function longRun(node: DevNode, ...argv: readonly string[]): Promise<MemgridProcess> {
  const bench = new MemgridProcess([
    'bench',
    ...[
      '--nodes',
      node.address,
      '--seconds',
      '3600',
      '--workload',
      'get',
      '--json',
      ...SMALL,
      ...argv,
    ],
  ]);
  await until('reads are under way', async () =>
    (await answered(node)) > 2_000 ? true : undefined,
  );
  return bench;
}

function dataOf(bench: MemgridProcess): BenchData {
  return (JSON.parse(bench.stdout) as { readonly data: BenchData }).data;
}

test('Ctrl-C ends memgrid bench with what was measured, marked as partial, and tidies up', async () => {
  await using cluster = await DevCluster.start('--nodes', '1');
  const node = cluster.coordinator;
  await using bench = await longRun(node, '--rate', '1000');
  process.kill(bench.pid, 'SIGINT');
  expect(await bench.exit).toEqual({ exitCode: 8, signal: null });
  const { report, namespace, entries } = dataOf(bench);
  expect(report.partial).toBe(true);
  expect(report.rows).toMatchObject([{ end: 'interrupted', numbers: { failed: 0 } }]);
  expect(report.rows[0]?.numbers?.perSecond).toBeGreaterThan(0);
  expect(entries).toBe('deleted');
  expect(await entriesIn(namespace, node)).toBe(0);
});

test('a cluster that dies under memgrid bench: what was measured, and where entries are left', async () => {
  await using cluster = await DevCluster.start('--nodes', '1');
  const node = cluster.coordinator;
  await using bench = await longRun(node, '--timeout', '1s', '--in-flight', '8');
  process.kill(node.pid, 'SIGKILL');
  expect(await bench.exit).toEqual({ exitCode: 8, signal: null });
  const { report, namespace, entries } = dataOf(bench);
  expect(report.rows).toMatchObject([{ end: 'died', rounds: [{ end: 'died' }] }]);
  expect(report.rows[0]?.numbers?.perSecond).toBeGreaterThan(0);
  expect(entries).toBe('notDeleted');
  expect(bench.stdout).toContain(`Not every entry of namespace ${namespace} was deleted`);
});

test('memgrid bench without a cluster says so', async () => {
  const { envelope, exitCode } = await memgrid(
    'bench',
    ...['--nodes', '127.0.0.1:9', '--timeout', '1s'],
  );
  expect(envelope).toMatchObject({ ok: false, error: { code: 'NOT_CONNECTED' } });
  expect(exitCode).toBe(3);
});
