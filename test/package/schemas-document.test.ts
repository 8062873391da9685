import { readFileSync } from 'node:fs';
import { compatibility, parseSchema, SCHEMA_LIMITS, type EntrySchema } from '@memgrid/protocol';
import { compileSchema } from '../../packages/node/src/schema/compile-schema.ts';
import { expect, test } from 'vitest';

const page = readFileSync(new URL('../../docs/schemas.md', import.meta.url), 'utf8');

function examples(): readonly EntrySchema[] {
  return [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = '']) => {
    const parsed = parseSchema(JSON.parse(json));
    if (parsed.kind === 'problems') throw new Error(JSON.stringify(parsed.problems));
    return parsed.schema;
  });
}

test('the examples are schemas, which compile and of which each may follow the one before', () => {
  const [first, second] = examples();
  if (first === undefined || second === undefined) throw new Error('The page has two examples.');
  expect(compatibility(undefined, first)).toEqual({ kind: 'follows' });
  expect(compatibility(first, second)).toEqual({ kind: 'follows' });
  for (const { body } of [first, second]) expect(compileSchema(body)({ content: 'x' })).toEqual([]);
});

const VALUES: Readonly<Record<string, unknown>> = {
  $comment: '',
  additionalProperties: false,
  allOf: [{}],
  anyOf: [{}],
  const: 1,
  deprecated: true,
  description: '',
  enum: [1],
  examples: [1],
  items: {},
  maxItems: 1,
  not: {},
  oneOf: [{}],
  pattern: 'a',
  properties: {},
  propertyNames: {},
  required: [],
  title: '',
  type: 'string',
  uniqueItems: true,
};

test('every keyword that the page lists may be used', () => {
  const [, section = ''] = /## What a body may use\n([\s\S]*?)\nPatterns/.exec(page) ?? [];
  const keywords = [...section.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  expect(keywords.length).toBeGreaterThan(25);
  const body = Object.fromEntries(keywords.map((name) => [name, VALUES[name] ?? 1]));
  expect(parseSchema({ name: 'note', version: 1, body })).toMatchObject({ kind: 'schema' });
});

test('every step that the page lists is one', () => {
  const [, section = ''] = /\| step \| what it does \|\n([\s\S]*?)\n\n/.exec(page) ?? [];
  const kinds = [...section.matchAll(/`(\w+) \{/g)].map(([, kind = '']) => kind);
  const path = '/metadata/a';
  const up = kinds.map((kind) => ({
    kind,
    ...(kind === 'move' ? { from: path, to: '/metadata/b' } : { path }),
    ...(kind === 'default' ? { value: 1 } : {}),
    ...(kind.endsWith('wrap') ? { name: 'b' } : {}),
    ...(kind === 'map' ? { values: [{ from: 'a', to: 'b' }] } : {}),
  }));
  expect(kinds.toSorted()).toEqual([
    'default',
    'first',
    'list',
    'map',
    'move',
    'remove',
    'unwrap',
    'wrap',
  ]);
  const migrations = { up, down: [] };
  expect(parseSchema({ name: 'note', version: 2, body: {}, migrations })).toMatchObject({
    kind: 'schema',
  });
});

test('the limits on the page are those of the source', () => {
  const kib = (bytes: number): string => `${bytes / 1024} KiB`;
  const mib = (bytes: number): string => `${bytes / 1024 / 1024} MiB`;
  const limits = SCHEMA_LIMITS;
  for (const row of [
    `| one schema | ${kib(limits.schemaBytesMax)} |`,
    `| ${limits.schemasMax}; ${limits.versionsMax}; ${mib(limits.registryBytesMax)} |`,
    `| ${limits.subschemasMax}, at most ${limits.subschemaDepthMax} inside one another |`,
    `| ${limits.patternLengthMax} characters each, `,
    `| steps in one direction | ${limits.stepsMax} |`,
    `| ${limits.namespacesMax.toLocaleString('en-US')} |`,
    `(beside a \`maxItems\` of at most ${limits.uniqueItemsMax})`,
  ]) {
    expect(page.replaceAll('\n', ' ')).toContain(row);
  }
});
