import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DevCluster } from './dev-cluster.ts';
import { memgrid } from './memgrid-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

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
