import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../entry/entry.ts';
import { migrate, schemaRoute, stashProblems, validatedValue } from './migrate.ts';
import type { MigrationStep } from './migration-step.ts';
import { STASH_FIELD, type EntryDocument, type EntrySchema } from './schema.ts';

function documentOf(metadata: JsonObject, category = 'PATTERN'): EntryDocument {
  return { content: 'prefers tabs', category, categories: ['style'], metadata };
}

function schemaOf(
  version: number,
  up: readonly MigrationStep[] = [],
  down: readonly MigrationStep[] = [],
): EntrySchema {
  return {
    name: 'note',
    version,
    body: { type: 'object' },
    mergePolicies: {},
    migrations: { up, down },
  };
}

function walk(
  document: EntryDocument,
  schemas: readonly EntrySchema[],
  stops: readonly number[],
): EntryDocument {
  let current = document;
  for (let at = 1; at < stops.length; at++) {
    const [from, to] = [stops[at - 1] as number, stops[at] as number];
    const route = schemaRoute((version) => schemas[version - 1], from, to);
    if (route.kind === 'broken') throw new Error(`${route.missing} is missing.`);
    current = migrate(current, route.hops);
  }
  return current;
}

test.each<{ step: MigrationStep; before: JsonObject; after: JsonObject }>([
  {
    step: { kind: 'move', from: '/metadata/a', to: '/metadata/b' },
    before: { a: 1, c: 2 },
    after: { b: 1, c: 2 },
  },
  {
    step: { kind: 'move', from: '/metadata/a', to: '/metadata/deep/b' },
    before: { a: 1 },
    after: { deep: { b: 1 } },
  },
  {
    step: { kind: 'move', from: '/metadata/a', to: '/metadata/b' },
    before: { b: 2 },
    after: { b: 2 },
  },
  {
    step: { kind: 'move', from: '/metadata/a', to: '/metadata/b/c' },
    before: { a: 1, b: 'no object' },
    after: { a: 1, b: 'no object' },
  },
  {
    step: { kind: 'default', path: '/metadata/a', value: 5 },
    before: {},
    after: { a: 5 },
  },
  {
    step: { kind: 'default', path: '/metadata/a', value: 5 },
    before: { a: null },
    after: { a: null },
  },
  { step: { kind: 'remove', path: '/metadata/a' }, before: { a: 1, b: 2 }, after: { b: 2 } },
  {
    step: { kind: 'wrap', path: '/metadata/a', name: 'value' },
    before: { a: [1] },
    after: { a: { value: [1] } },
  },
  {
    step: { kind: 'unwrap', path: '/metadata/a', name: 'value' },
    before: { a: { value: 7, unit: 'ms' } },
    after: { a: 7 },
  },
  {
    step: { kind: 'unwrap', path: '/metadata/a', name: 'constructor' },
    before: { a: {} },
    after: { a: {} },
  },
  { step: { kind: 'list', path: '/metadata/a' }, before: { a: 1 }, after: { a: [1] } },
  { step: { kind: 'first', path: '/metadata/a' }, before: { a: [1, 2] }, after: { a: 1 } },
  { step: { kind: 'first', path: '/metadata/a' }, before: { a: [] }, after: {} },
  {
    step: { kind: 'map', path: '/metadata/a', values: [{ from: 'low', to: 'LOW' }] },
    before: { a: 'low' },
    after: { a: 'LOW' },
  },
])('$step.kind makes $after of $before', ({ step, before, after }) => {
  const migrated = walk(documentOf(before), [schemaOf(1), schemaOf(2, [step])], [1, 2]);
  expect(validatedValue(migrated)['metadata']).toEqual(after);
});

test('a removed value comes back on the way down, and a newer one stays', () => {
  const schemas = [schemaOf(1), schemaOf(2, [{ kind: 'remove', path: '/metadata/mood' }])];
  const up = walk(documentOf({ mood: 'calm', topic: 'tabs' }), schemas, [1, 2]);
  expect(validatedValue(up)['metadata']).toEqual({ topic: 'tabs' });
  expect(walk(up, schemas, [2, 1]).metadata).toEqual({ mood: 'calm', topic: 'tabs' });
  const edited = { ...up, metadata: { ...up.metadata, mood: 'angry' } };
  expect(validatedValue(walk(edited, schemas, [2, 1]))['metadata']).toEqual({
    mood: 'angry',
    topic: 'tabs',
  });
});

test('categories that become one are told apart again, unless somebody has chosen another', () => {
  const merge = ['ERROR', 'TEAM'].map((from) => ({ from, to: 'OTHER' }));
  const schemas = [
    schemaOf(1),
    schemaOf(
      2,
      [{ kind: 'map', path: '/category', values: merge }],
      [{ kind: 'map', path: '/category', values: [{ from: 'OTHER', to: 'ERROR' }] }],
    ),
  ];
  const up = walk(documentOf({}, 'TEAM'), schemas, [1, 2]);
  expect(up.category).toBe('OTHER');
  expect(walk(up, schemas, [2, 1])).toEqual(documentOf({}, 'TEAM'));
  expect(walk({ ...up, category: 'PATTERN' }, schemas, [2, 1]).category).toBe('PATTERN');
});

test('a write of an older reader keeps what only the newer version knows', () => {
  const schemas = [
    schemaOf(1),
    schemaOf(
      2,
      [{ kind: 'default', path: '/metadata/score', value: 0 }],
      [{ kind: 'remove', path: '/metadata/score' }],
    ),
  ];
  const down = walk(documentOf({ score: 9 }), schemas, [2, 1]);
  const edited = { ...down, content: 'prefers spaces' };
  expect(walk(edited, schemas, [1, 2])).toEqual({
    ...documentOf({ score: 9 }),
    content: 'prefers spaces',
  });
});

test('a route with a hole names the first version that is missing', () => {
  const schemas = [schemaOf(1), schemaOf(2)];
  expect(schemaRoute((version) => schemas[version - 1], 1, 4)).toEqual({
    kind: 'broken',
    missing: 3,
  });
});

test.each([
  { stash: 5, paths: ['/metadata/$stash'] },
  { stash: { 1: [{ path: '/content', kept: 'x' }] }, paths: ['/metadata/$stash/1'] },
  { stash: { 1: [{ path: '/metadata/a', code: 'x' }] }, paths: ['/metadata/$stash/1'] },
  { stash: { old: [], 2: 'x' }, paths: ['/metadata/$stash/2', '/metadata/$stash/old'] },
  { stash: { 1: [{ path: '/metadata/a', kept: 1 }] }, paths: [] },
] as { stash: JsonValue; paths: string[] }[])('a forged stash is found in $stash', (given) => {
  const problems = stashProblems({ [STASH_FIELD]: given.stash });
  expect(problems.map(({ path }) => path)).toEqual(given.paths);
});

// Few names, so that steps, their targets and unknown fields meet.
const field = fc.constantFrom('a', 'b', 'c');
const pointer = fc
  .array(field, { minLength: 1, maxLength: 2 })
  .map((names) => `/metadata/${names.join('/')}`);
const { json } = fc.letrec<{ json: JsonValue }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, 0, 1, 'low', 'high', 'odd'),
    fc.array(tie('json'), { maxLength: 2 }),
    fc.dictionary(field, tie('json'), { maxKeys: 3, noNullPrototype: true }) as fc.Arbitrary<never>,
  ),
}));
const metadata = fc.dictionary(field, json, { noNullPrototype: true });
const texts = [
  [{ from: 'low', to: 'high' }],
  [
    { from: 'low', to: 'high' },
    { from: 'high', to: 'low' },
  ],
];
const step: fc.Arbitrary<MigrationStep> = fc.oneof(
  fc
    .record({ kind: fc.constant('move' as const), from: pointer, to: pointer })
    .filter(({ from, to }) => !`${from}/`.startsWith(`${to}/`) && !`${to}/`.startsWith(`${from}/`)),
  fc.record({ kind: fc.constant('default' as const), path: pointer, value: json }),
  fc.record({ kind: fc.constant('remove' as const), path: pointer }),
  fc.record({ kind: fc.constant('wrap' as const), path: pointer, name: field }),
  fc.record({ kind: fc.constant('unwrap' as const), path: pointer, name: field }),
  fc.record({ kind: fc.constant('list' as const), path: pointer }),
  fc.record({ kind: fc.constant('first' as const), path: pointer }),
  fc.record({
    kind: fc.constant('map' as const),
    path: fc.oneof(pointer, fc.constant('/category')),
    values: fc.constantFrom(...texts),
  }),
);
const steps = fc.array(step, { maxLength: 4 });
const versions = fc
  .array(fc.tuple(steps, steps), { minLength: 3, maxLength: 3 })
  .map((pairs) => [schemaOf(1), ...pairs.map(([up, down], at) => schemaOf(at + 2, up, down))]);
const documents = fc
  .tuple(metadata, fc.constantFrom('low', 'high', 'odd'))
  .map(([values, category]) => documentOf(values as JsonObject, category));
const stop = fc.integer({ min: 1, max: 4 });

test('Z1: there and back again is the same entry, whatever the steps are', () => {
  fc.assert(
    fc.property(documents, versions, stop, stop, (document, schemas, from, to) => {
      expect(walk(document, schemas, [from, to, from])).toEqual(document);
    }),
    { numRuns: 500 },
  );
});

test('Z2: every way between two versions gives the same entry, one step at a time', () => {
  fc.assert(
    fc.property(documents, versions, fc.array(stop, { maxLength: 6 }), stop, (...drawn) => {
      const [document, schemas, detour, to] = drawn;
      const direct = walk(document, schemas, [1, to]);
      expect(walk(document, schemas, [1, ...detour, to])).toEqual(direct);
    }),
    { numRuns: 500 },
  );
});

test('Z3: fields that no step names are neither changed nor lost', () => {
  fc.assert(
    fc.property(documents, versions, json, stop, (document, schemas, value, to) => {
      const unknown = { ...document, metadata: { ...document.metadata, unknown: value } };
      const there = walk(unknown, schemas, [1, to]);
      expect(there.metadata['unknown']).toEqual(value);
      expect(there.content).toBe(document.content);
      expect(there.categories).toEqual(document.categories);
    }),
  );
});
