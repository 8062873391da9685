import { expect, test } from 'vitest';
import type { JsonObject } from '../entry/entry.ts';
import { compatibility } from './compatibility.ts';
import type { MigrationStep } from './migration-step.ts';
import type { EntrySchema } from './schema.ts';

interface Given {
  readonly version: number;
  readonly metadata?: JsonObject;
  readonly up?: readonly MigrationStep[];
  readonly down?: readonly MigrationStep[];
}

function schemaOf({ version, metadata = {}, up = [], down = [] }: Given): EntrySchema {
  return {
    name: 'note',
    version,
    body: { properties: { metadata: { type: 'object', ...metadata } }, required: ['metadata'] },
    mergePolicies: {},
    migrations: { up, down },
  };
}

function reasonsOf(
  before: EntrySchema | undefined,
  after: EntrySchema,
): readonly string[] | string {
  const result = compatibility(before, after);
  return result.kind === 'conflict' ? result.reasons : result.kind;
}

const MOOD = { properties: { mood: { type: 'string' } } };

test('the first version is 1, and each next one is one more', () => {
  expect(reasonsOf(undefined, schemaOf({ version: 1 }))).toBe('follows');
  expect(reasonsOf(undefined, schemaOf({ version: 2 }))).toEqual([
    'note version 2 may not be the first version of its name.',
  ]);
  expect(reasonsOf(schemaOf({ version: 1 }), schemaOf({ version: 3 }))).toEqual([
    'note version 3 may not follow note version 1: version 2 is missing.',
  ]);
  expect(reasonsOf(schemaOf({ version: 1 }), { ...schemaOf({ version: 2 }), name: 'x' })).toEqual([
    'x version 2 may not follow note version 1: the names differ.',
  ]);
});

test('the same definition again is no conflict; another one of the same version is', () => {
  const first = schemaOf({ version: 1, metadata: MOOD });
  expect(reasonsOf(first, schemaOf({ version: 1, metadata: MOOD }))).toBe('same');
  expect(reasonsOf(first, schemaOf({ version: 1 }))).toEqual([
    'note version 1 may not follow note version 1: a version never changes once it is defined.',
  ]);
});

test('a field that becomes required needs a step that gives it a value', () => {
  const metadata = { ...MOOD, required: ['mood'] };
  const before = schemaOf({ version: 1, metadata: MOOD });
  expect(reasonsOf(before, schemaOf({ version: 2, metadata }))).toEqual([
    '/metadata/mood becomes required from note version 1 to version 2, and no step gives it a value.',
  ]);
  const up = [{ kind: 'default', path: '/metadata/mood', value: 'calm' } as const];
  expect(reasonsOf(before, schemaOf({ version: 2, metadata, up }))).toBe('follows');
});

test('required in the older version only is asked on the way down', () => {
  const before = schemaOf({ version: 1, metadata: { ...MOOD, required: ['mood'] } });
  expect(reasonsOf(before, schemaOf({ version: 2, metadata: MOOD }))).toEqual([
    '/metadata/mood becomes required from note version 2 to version 1, and no step gives it a value.',
  ]);
});

test('a field that a closed object no longer lists needs a step that takes it away', () => {
  const before = schemaOf({ version: 1, metadata: MOOD });
  const closed = { properties: {}, additionalProperties: false };
  expect(reasonsOf(before, schemaOf({ version: 2, metadata: closed }))).toEqual([
    '/metadata/mood is no longer allowed from note version 1 to version 2, and no step takes it away.',
  ]);
  const up = [{ kind: 'remove', path: '/metadata/mood' } as const];
  expect(reasonsOf(before, schemaOf({ version: 2, metadata: closed, up }))).toBe('follows');
});

test.each([
  { was: { type: 'integer' }, is: { type: 'number' } },
  { was: { type: 'string' }, is: { type: 'number' } },
  { was: { enum: ['a', 'b'] }, is: { enum: ['a'] } },
] as { was: JsonObject; is: JsonObject }[])(
  'a field that goes from $was to $is without a step is a conflict',
  ({ was, is }) => {
    const before = schemaOf({ version: 1, metadata: { properties: { x: was } } });
    const after = schemaOf({ version: 2, metadata: { properties: { x: is } } });
    expect(compatibility(before, after).kind).toBe('conflict');
    const both = [{ kind: 'wrap', path: '/metadata/x', name: 'v' } as const];
    const migrated = { ...after, migrations: { up: both, down: both } };
    expect(compatibility(before, migrated).kind).toBe('follows');
  },
);

test('a wider type is fine on the way up and a conflict on the way down', () => {
  const before = schemaOf({ version: 1, metadata: { properties: { x: { type: 'integer' } } } });
  const after = schemaOf({ version: 2, metadata: { properties: { x: { type: 'number' } } } });
  expect(reasonsOf(before, after)).toEqual([
    '/metadata/x changes its type from note version 2 to version 1, and no step changes it.',
  ]);
});
