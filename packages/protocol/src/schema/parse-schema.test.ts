import { expect, test } from 'vitest';
import type { JsonValue } from '../entry/entry.ts';
import { MEMORY_SCHEMA } from './memory-schema.ts';
import { parseSchema } from './parse-schema.ts';
import { schemaProblemText } from './schema.ts';
import { schemaFingerprint, schemaJson } from './schema-fingerprint.ts';

function problemsOf(value: unknown): readonly string[] {
  const parsed = parseSchema(value);
  return parsed.kind === 'problems' ? parsed.problems.map(schemaProblemText) : [];
}

const NOTE = { name: 'note', version: 2, body: {}, migrations: { up: [], down: [] } };

test('the built-in schema is one that anybody could have defined', () => {
  expect(parseSchema(schemaJson(MEMORY_SCHEMA))).toEqual({ kind: 'schema', schema: MEMORY_SCHEMA });
});

test('version 1 needs neither policies nor migrations', () => {
  expect(problemsOf({ name: 'note', version: 1, body: { type: 'object' } })).toEqual([]);
});

test('all problems are reported at once, with their paths', () => {
  expect(
    problemsOf({
      name: 'Note',
      version: 0,
      body: { type: 'text', properties: { a: 5 }, $ref: '#' },
      mergePolicies: { content: 'newest' },
      migrations: { up: [{ kind: 'eval', code: '1' }], down: 'x' },
      extra: 1,
    }),
  ).toEqual([
    '/extra: is not known here.',
    '/name: must be 1 to 64 small letters, digits and dashes, a letter first.',
    '/version: must be a whole number from 1.',
    '/body/$ref: this keyword is not supported.',
    '/body/properties/a: must be an object.',
    '/body/type: must be one or several of array, boolean, integer, null, number, object, string.',
    '/mergePolicies: "content" must be a JSON pointer of a field.',
    '/mergePolicies: "content" must be one of lww, fields, keep-both, prefer-majority-side, user:<name>.',
    '/migrations/up/0/kind: must be one of move, default, remove, wrap, unwrap, list, first, map.',
    '/migrations/down: must be a list of steps.',
  ]);
});

test.each<{ step: JsonValue; problem: string }>([
  { step: { kind: 'remove', path: '/content' }, problem: 'below /metadata' },
  { step: { kind: 'remove', path: '/metadata' }, problem: 'below /metadata' },
  { step: { kind: 'remove', path: '/metadata/$stash/1' }, problem: 'below /metadata' },
  { step: { kind: 'remove', path: '/metadata/constructor' }, problem: 'another name' },
  { step: { kind: 'remove', path: '/metadata/a', why: '' }, problem: 'is not known here' },
  { step: { kind: 'default', path: '/metadata/a' }, problem: 'must be there' },
  { step: { kind: 'wrap', path: '/metadata/a', name: '' }, problem: 'must be a name' },
  { step: { kind: 'map', path: '/category', values: [] }, problem: '{from, to}' },
  {
    step: { kind: 'move', from: '/metadata/a', to: '/metadata/a/b' },
    problem: 'cannot move a value into itself',
  },
])('a step $step is refused: $problem', ({ step, problem }) => {
  const problems = problemsOf({ ...NOTE, migrations: { up: [step], down: [] } });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(problem);
});

test.each<{ what: string; body: unknown; problem: string }>([
  { what: 'a remote reference', body: { $ref: 'http://x/' }, problem: 'not supported' },
  { what: 'a keyword of objects', body: { constructor: 1 }, problem: 'another name' },
  { what: 'a default', body: { default: 1 }, problem: 'not supported' },
  { what: 'a long pattern', body: { pattern: 'a'.repeat(257) }, problem: 'at most 256 characters' },
  { what: 'unbounded uniqueItems', body: { uniqueItems: true }, problem: 'needs a maxItems' },
  {
    what: 'too many schemas',
    body: { anyOf: Array.from({ length: 600 }, () => ({})) },
    problem: 'more than 512',
  },
  { what: 'too deep a schema', body: nested(13), problem: 'inside one another' },
  { what: 'a depth of 10,000', body: nested(10_000), problem: 'in one another' },
  { what: 'NaN', body: { minimum: Number.NaN }, problem: 'finite' },
  { what: 'too many bytes', body: { title: 'x'.repeat(33_000) }, problem: 'at most 32768' },
])('$what is refused', ({ body, problem }) => {
  const problems = problemsOf({ ...NOTE, body });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(problem);
});

function nested(depth: number): unknown {
  let schema: unknown = {};
  for (let at = 1; at < depth; at++) schema = { not: schema };
  return schema;
}

test('the fingerprint does not depend on the order of properties, and tells schemas apart', () => {
  const parsed = [
    { ...NOTE, body: { minLength: 1, type: 'string' } },
    { ...NOTE, body: { type: 'string', minLength: 1 } },
    { ...NOTE, body: { type: 'string', minLength: 2 } },
  ].map((value) => parseSchema(value));
  const [a, b, c] = parsed.map((it) => (it.kind === 'schema' ? schemaFingerprint(it.schema) : ''));
  expect(a).toMatch(/^[0-9a-f]{16}$/);
  expect(b).toBe(a);
  expect(c).not.toBe(a);
});
