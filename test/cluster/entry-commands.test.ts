import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DevCluster } from './dev-cluster.ts';
import { MemgridProcess, memgrid } from './memgrid-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

test('what commands for entries tell of a stored, a foreign and an absent entry', async () => {
  using directory = new TemporaryDirectory();
  await using cluster = await DevCluster.start('--nodes', '1');
  const [node] = cluster.nodes;
  const grid = ['--nodes', node?.address ?? ''];
  const ada = ['--user', 'ada', ...grid];

  // An entry that was to be forgotten is kept after all.
  expect((await memgrid('put', 'x', '--id', 'soon', '--ttl', '1h', ...ada)).exitCode).toBe(0);
  const before = await memgrid('get', 'soon', ...ada);
  expect(before.envelope.data['entry']).toHaveProperty('expiresAt');
  expect((await memgrid('update', 'soon', '--expires', 'never', ...ada)).exitCode).toBe(0);
  const after = await memgrid('get', 'soon', ...ada);
  expect(after.envelope.data['entry']).not.toHaveProperty('expiresAt');

  // A file of another form is one complaint, not one for each of its lines.
  const turns = directory.file('turns.ndjson');
  writeFileSync(turns, '{"text":"a"}\n'.repeat(50));
  const foreign = await memgrid('import', turns, ...grid);
  expect(foreign.exitCode).toBe(8);
  expect(foreign.envelope.warnings).toEqual([
    expect.stringMatching(/^Lines 1, 2, 3, 4, 5 and 45 more: .*got "text"/),
    expect.stringContaining('--set'),
  ]);

  // The port of the admin surface is not the one for entries.
  const admin = new URL(node?.httpUrl ?? '').host;
  const wrong = await memgrid('get', 'soon', '--user', 'ada', '--nodes', admin);
  expect(wrong.exitCode).toBe(3);
  expect(wrong.envelope.error?.hint).toContain('HTTP port');
});

test('nothing to delete, nothing to compare, and what may not be changed', async () => {
  await using cluster = await DevCluster.start('--nodes', '1');
  const grid = ['--nodes', cluster.coordinator.address];
  const ada = ['--user', 'ada', ...grid];
  const nothing = await memgrid('delete', 'ghost', ...ada);
  expect(nothing).toMatchObject({ exitCode: 0, envelope: { data: { existed: false } } });
  const empty = await memgrid('verify', '--namespace', 'empty', ...grid);
  expect(empty).toMatchObject({ exitCode: 5, envelope: { error: { code: 'NOTHING_TO_COMPARE' } } });
  expect((await memgrid('put', 'x', '--id', 'stone', '--immutable', ...ada)).exitCode).toBe(0);
  for (const change of [
    ['update', 'stone', '--content', 'y'],
    ['put', 'y', '--id', 'stone'],
  ]) {
    const refused = await memgrid(...change, ...ada);
    expect(refused).toMatchObject({
      exitCode: 6,
      envelope: { error: { code: 'IMMUTABLE_ENTRY' } },
    });
  }
  const gone = await memgrid('delete', 'stone', ...ada);
  expect(gone).toMatchObject({ exitCode: 0, envelope: { data: { existed: true } } });
});

test('whoever has read enough ends a watch and an export, and neither is a failure', async () => {
  using directory = new TemporaryDirectory();
  await using cluster = await DevCluster.start('--nodes', '1');
  const grid = ['--nodes', cluster.coordinator.address];
  const lines = directory.file('lines.ndjson');
  // More than a pipe holds.
  const line = (at: number): string =>
    `${JSON.stringify({ content: `${at} ${'x'.repeat(500)}`, userId: 'ada' })}\n`;
  writeFileSync(lines, Array.from({ length: 2_500 }, (_, at) => line(at)).join(''));
  expect((await memgrid('import', lines, ...grid)).exitCode).toBe(0);
  const all = await memgrid('list', '--all', ...grid);
  expect(all.envelope.data['items']).toHaveLength(2_500);

  await using exporting = new MemgridProcess(['export', '--no-progress', ...grid]);
  await until('the first line', () => exporting.stdout.includes('\n') || undefined);
  exporting.stopReading();
  expect(await exporting.exit).toEqual({ exitCode: 0, signal: null });

  await using watching = new MemgridProcess(['watch', '--user', 'bob', ...grid]);
  await until('the first change', async () => {
    await memgrid('put', 'hello', '--user', 'bob', ...grid);
    return watching.stdout.includes('hello') || undefined;
  });
  // A watch says in which version of which schema an entry is stored.
  expect(watching.stdout).toContain('memory@1  hello');
  watching.stopReading();
  expect((await memgrid('put', 'again', '--user', 'bob', ...grid)).exitCode).toBe(0);
  expect(await watching.exit).toEqual({ exitCode: 0, signal: null });
  expect(watching.stderr + exporting.stderr).toBe('');
});

test('a workload tidies up, keeps what is to be compared, and Ctrl-C ends it with its verdict', async () => {
  using directory = new TemporaryDirectory();
  await using cluster = await DevCluster.start('--nodes', '1');
  const grid = ['--nodes', cluster.coordinator.address];
  const run = ['--rate', '50', '--clients', '3', '--no-progress', ...grid];
  const trial = [...run, '--namespace', 'trial', '--seconds', '1'];
  expect((await memgrid('put', 'mine', '--namespace', 'trial', ...grid)).exitCode).toBe(0);
  const tidy = await memgrid('workload', 'register', ...trial);
  expect(tidy).toMatchObject({ exitCode: 0, envelope: { data: { entries: 'deleted' } } });
  const left = await memgrid('list', '--count', '--namespace', 'trial', ...grid);
  expect(left.envelope.data['count']).toBe(1);

  const history = directory.file('history.ndjson');
  const argv = ['workload', 'set', ...run, '--seconds', '600', '--keep', '--history', history];
  await using endless = new MemgridProcess([...argv, '--json']);
  await until('it has begun', () =>
    existsSync(history) && readFileSync(history).length > 5_000 ? true : undefined,
  );
  endless.signal('SIGINT');
  expect(await endless.exit).toEqual({ exitCode: 0, signal: null });
  const { data } = JSON.parse(endless.stdout) as { data: Record<string, unknown> };
  expect(data).toMatchObject({ entries: 'kept', verdict: { kind: 'valid' } });
  expect(readFileSync(history, 'utf8').endsWith('}\n')).toBe(true);
  const compared = await memgrid('verify', '--history', history, ...grid);
  const { facts } = data['verdict'] as { facts: Record<string, number> };
  expect(compared).toMatchObject({ exitCode: 0, envelope: { data: { differences: [] } } });
  expect(compared.envelope.data['entries']).toBe(facts['acknowledged']);
});
