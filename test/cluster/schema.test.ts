import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DevCluster } from './dev-cluster.ts';
import { memgrid } from './memgrid-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

const FEELING = { type: 'object', properties: { feeling: { type: 'string' } } };
const MOOD = { type: 'object', properties: { mood: { type: 'string' } } };
const NOTE_1 = {
  name: 'note',
  version: 1,
  body: { properties: { category: { enum: ['NOTE', 'PLAN'] }, metadata: FEELING } },
};
const NOTE_2 = {
  name: 'note',
  version: 2,
  body: { properties: { category: { enum: ['NOTE', 'PLAN'] }, metadata: MOOD } },
  migrations: {
    up: [{ kind: 'move', from: '/metadata/feeling', to: '/metadata/mood' }],
    down: [{ kind: 'move', from: '/metadata/mood', to: '/metadata/feeling' }],
  },
};

test('old and new programs read and write the same entries, each in its own version', async () => {
  using directory = new TemporaryDirectory();
  await using cluster = await DevCluster.start('--nodes', '3');
  const [first] = cluster.nodes;
  const admin = ['--node', first?.httpUrl ?? ''];
  const grid = ['--nodes', first?.address ?? '', '--namespace', 'notes'];
  const define = async (schema: { readonly version: number }): Promise<number | null> => {
    const file = directory.file(`${schema.version}.json`);
    writeFileSync(file, JSON.stringify(schema));
    return (await memgrid('schema', 'define', file, ...admin)).exitCode;
  };
  const metadata = async (...argv: readonly string[]): Promise<unknown> => {
    const { envelope } = await memgrid('get', 'n1', ...argv, ...grid);
    return (envelope.data['entry'] as { metadata: unknown }).metadata;
  };

  expect(await define(NOTE_1)).toBe(0);
  expect((await memgrid('schema', 'bind', 'notes', 'note', ...admin)).exitCode).toBe(0);
  const note = ['--id', 'n1', '--category', 'NOTE', '--metadata', '{"feeling":"calm","x":1}'];
  await until('the first entry is taken', async () => {
    // The node that is asked may hear of the schema a moment later.
    return (await memgrid('put', 'hello', ...note, ...grid)).exitCode === 0 ? true : undefined;
  });
  const refused = await memgrid('put', 'hello', '--category', 'PATTERN', ...grid);
  expect(refused.envelope.error).toMatchObject({ code: 'INVALID_ENTRY' });
  expect(refused.envelope.error?.message).toContain('"NOTE", "PLAN"');

  // Version 2 is defined, version 1 is still what writers write.
  expect(await define(NOTE_2)).toBe(0);
  await until('version 2 is known', async () => {
    const { exitCode } = await memgrid('get', 'n1', '--schema-version', '2', ...grid);
    return exitCode === 0 ? true : undefined;
  });
  expect(await metadata()).toEqual({ feeling: 'calm', x: 1 });
  expect(await metadata('--schema-version', '2')).toEqual({ mood: 'calm', x: 1 });

  expect((await memgrid('schema', 'commit', 'note', '2', ...admin)).exitCode).toBe(0);
  await until('version 2 is committed', async () => {
    const shown = JSON.stringify(await metadata());
    return shown === '{"mood":"calm","x":1}' ? true : undefined;
  });
  const old = ['--schema-version', '1', '--metadata', '{"feeling":"angry"}'];
  expect((await memgrid('update', 'n1', ...old, ...grid)).exitCode).toBe(0);
  expect(await metadata()).toEqual({ mood: 'angry', x: 1 });
  expect(await metadata('--schema-version', '1')).toEqual({ feeling: 'angry', x: 1 });

  const unknown = await memgrid('get', 'n1', '--schema-version', '5', ...grid);
  expect(unknown.envelope.error).toMatchObject({
    code: 'SCHEMA_UNKNOWN',
    message:
      'There is no way from note version 2 to version 5: version 3 is not defined; there are versions 1 to 2.',
  });
  const skipped = { ...NOTE_2, version: 4 };
  expect(await define(skipped)).toBe(6);
});
