import { SchemaEntryRules, SchemaRegistry } from '@memgrid/core';
import {
  decodeValue,
  encodeValue,
  entryBodyField,
  entryChecksum,
  MEMORY_SCHEMA,
  parseSchema,
  STASH_FIELD,
  type EntryBody,
  type JsonObject,
} from '@memgrid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileSchema } from './compile-schema.ts';

function problemsOf(body: JsonObject, value: JsonObject): readonly string[] {
  // What this file compiles has always passed the bounds first.
  expect(parseSchema({ name: 'note', version: 1, body })).toMatchObject({ kind: 'schema' });
  return compileSchema(body)(value).map(({ path, problem }) => `${path}: ${problem}`);
}

const MEMORY = { content: 'prefers tabs', categories: [], metadata: {} };

test('the built-in schema accepts its categories, and none at all', () => {
  expect(problemsOf(MEMORY_SCHEMA.body, MEMORY)).toEqual([]);
  expect(problemsOf(MEMORY_SCHEMA.body, { ...MEMORY, category: 'TEAM' })).toEqual([]);
});

test('Z6: all problems are reported at once, with paths', () => {
  const body = {
    type: 'object',
    properties: {
      category: { enum: ['NOTE'] },
      metadata: {
        type: 'object',
        properties: { score: { type: 'number', maximum: 1 }, 'a/b': { type: 'string' } },
        required: ['mood'],
        additionalProperties: false,
      },
    },
  };
  const value = { ...MEMORY, category: 'TEAM', metadata: { score: 2, 'a/b': 1, extra: 1 } };
  expect(problemsOf(body, value)).toEqual([
    '/category: must be equal to one of the allowed values: "NOTE".',
    "/metadata: must have required property 'mood'.",
    '/metadata: must NOT have additional properties: "extra".',
    '/metadata/score: must be <= 1.',
    '/metadata/a~1b: must be string.',
  ]);
});

test('values are looked at and never changed', () => {
  const body = { properties: { metadata: { properties: { n: { type: 'number' } } } } };
  const value = { ...MEMORY, metadata: { n: '5' } };
  const before = structuredClone(value);
  expect(problemsOf(body, value)).toEqual(['/metadata/n: must be number.']);
  expect(value).toEqual(before);
});

test('a pattern that would take a backtracking matcher for ever is answered', () => {
  const body = { properties: { content: { type: 'string', pattern: '^(a+)+$' } } };
  const content = `${'a'.repeat(60_000)}!`;
  expect(problemsOf(body, { ...MEMORY, content })).toEqual([
    '/content: must match pattern "^(a+)+$".',
  ]);
});

test('lengths count characters, not halves of surrogate pairs', () => {
  const body = { properties: { content: { maxLength: 1 } } };
  expect(problemsOf(body, { ...MEMORY, content: '🦊' })).toEqual([]);
});

test.each([
  { what: 'no pattern', body: { properties: { content: { pattern: '(' } } } },
  { what: 'a look-ahead', body: { properties: { content: { pattern: '(?=a)b' } } } },
  { what: 'a backreference', body: { properties: { content: { pattern: '(a)\\1' } } } },
  { what: 'too large a pattern', body: { properties: { content: { pattern: '(a|b){500}c' } } } },
  {
    what: 'too many patterns',
    body: {
      anyOf: Array.from({ length: 400 }, (_, at) => ({
        pattern: `^pattern-number-${at}$`,
      })),
    },
  },
])('a body with $what is refused with a RangeError', ({ body }) => {
  expect(() => compileSchema(body)).toThrow(RangeError);
});

test('hostile names and texts in a body stay data', () => {
  const name = `x"];globalThis.broken=1;//\`\${1}`;
  const body = {
    properties: { metadata: { required: [name], properties: { [name]: { const: name } } } },
  };
  expect(problemsOf(body, MEMORY)).toHaveLength(1);
  expect(problemsOf(body, { ...MEMORY, metadata: { [name]: name } })).toEqual([]);
  expect('broken' in globalThis).toBe(false);
});

test('the largest allowed body and a full metadata are judged', () => {
  const leaf = { type: 'string', maxLength: 4 };
  const properties = Object.fromEntries(Array.from({ length: 250 }, (_, at) => [`p${at}`, leaf]));
  const body = { properties: { metadata: { type: 'object', anyOf: [{ properties }, {}] } } };
  const metadata = Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`p${at}`, 'ABCDE']));
  expect(problemsOf(body, { ...MEMORY, metadata })).toEqual([]);
});

const memoryEntry: fc.Arbitrary<EntryBody> = fc
  .record({
    userId: fc.constantFrom('', 'ada'),
    content: fc.constantFrom('', 'prefers tabs', 'ü"\\\n'),
    category: fc.constantFrom('', 'PATTERN', 'TEAM', 'team', 'toString', 'NOTE'),
    categories: fc.constantFrom([], ['style', 'x']),
    metadata: fc.constantFrom<JsonObject>({}, { a: 1 }, { [STASH_FIELD]: 1 }, { 'ü😀': [null] }),
    schema: fc.constantFrom('', 'memory', 'note'),
    schemaVersion: fc.constantFrom(0, 1, 2),
    isSound: fc.boolean(),
  })
  .map(({ isSound, ...said }) => ({
    ...{ agentId: '', appId: '', runId: '', createdAt: 5, updatedAt: 5, expiresAt: 0 },
    ...{ immutable: false, upstreamId: '', upstreamHash: '', upstreamConfirmedAt: 0 },
    ...said,
    upstreamState: 'none',
    superseded: [],
    checksum: isSound ? entryChecksum(said) : '0123456789abcdef',
  }));

test('Z6: an entry is let in by a look at its bytes just as it is by its value', () => {
  const registry = new SchemaRegistry();
  const rules = new SchemaEntryRules({ registry: () => registry, compile: compileSchema });
  fc.assert(
    fc.property(memoryEntry, (entry) => {
      const bytes = encodeValue(entryBodyField, entry);
      // The same value with a longer head, which has to be decoded.
      const unusual = Uint8Array.from([0xdd, 0, 0, 0, 20, ...bytes.subarray(3)]);
      expect(decodeValue(entryBodyField, unusual)).toEqual(entry);
      const looked = rules.admitted('n', bytes);
      const decoded = rules.admitted('n', unusual);
      if (looked.kind === 'failed' || decoded.kind === 'failed') {
        expect(looked).toEqual(decoded);
        return;
      }
      expect(looked.entry).toEqual(decoded.entry);
      expect(decoded.owner).toMatchObject(looked.owner);
    }),
    { numRuns: 1_000 },
  );
});
