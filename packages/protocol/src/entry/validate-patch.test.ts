import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EntryBody, JsonObject, JsonValue } from './entry.ts';
import { decodePatch } from './entry-fields.ts';
import { entryChecksum } from './entry-checksum.ts';
import { mergePatch } from './merge-patch.ts';
import { problemText } from './problem-list.ts';
import { validateEntry } from './validate-entry.ts';
import { patchEntry, validatePatch } from './validate-patch.ts';

const NOW = 1_790_000_000_000;
const context = { namespace: 'default', nowMs: NOW };

function bodyOf(fields: Readonly<Record<string, unknown>> = {}): EntryBody {
  const checked = validateEntry({ content: 'prefers tabs', ...fields }, context);
  if (checked.kind === 'invalid') throw new Error(checked.problems.map(problemText).join(' '));
  return checked.body;
}

function problemsOf(input: unknown): readonly string[] {
  const checked = validatePatch(input, context);
  return checked.kind === 'invalid' ? checked.problems.map(problemText) : [];
}

// The table of RFC 7396, appendix A.
test.each([
  { target: { a: 'b' }, patch: { a: 'c' }, result: { a: 'c' } },
  { target: { a: 'b' }, patch: { b: 'c' }, result: { a: 'b', b: 'c' } },
  { target: { a: 'b' }, patch: { a: null }, result: {} },
  { target: { a: 'b', b: 'c' }, patch: { a: null }, result: { b: 'c' } },
  { target: { a: ['b'] }, patch: { a: 'c' }, result: { a: 'c' } },
  { target: { a: 'c' }, patch: { a: ['b'] }, result: { a: ['b'] } },
  {
    target: { a: { b: 'c' } },
    patch: { a: { b: 'd', c: null } },
    result: { a: { b: 'd' } },
  },
  { target: { a: [{ b: 'c' }] }, patch: { a: [1] }, result: { a: [1] } },
  { target: ['a', 'b'], patch: ['c', 'd'], result: ['c', 'd'] },
  { target: { a: 'b' }, patch: ['c'], result: ['c'] },
  { target: { a: 'foo' }, patch: null, result: null },
  { target: { a: 'foo' }, patch: 'bar', result: 'bar' },
  { target: { e: null }, patch: { a: 1 }, result: { e: null, a: 1 } },
  { target: [1, 2], patch: { a: 'b', c: null }, result: { a: 'b' } },
  { target: {}, patch: { a: { bb: { ccc: null } } }, result: { a: { bb: {} } } },
])('D6: $patch over $target is $result', ({ target, patch, result }) => {
  const before = JSON.stringify(target);
  expect(mergePatch(target as JsonValue, patch as JsonValue)).toEqual(result);
  expect(JSON.stringify(target)).toBe(before);
});

test('D6: a patch that was applied changes nothing the second time', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
      const once = mergePatch(target as JsonValue, patch as JsonValue);
      expect(mergePatch(once, patch as JsonValue)).toEqual(once);
    }),
  );
});

test('D6: a merge reaches no prototype, even with names that nobody checked', () => {
  const patch = JSON.parse('{"__proto__":{"polluted":1}}') as JsonObject;
  const merged = mergePatch({}, patch) as JsonObject;
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
});

test('D6: a patch changes what it names, the checksum and the time, and nothing else', () => {
  const body = bodyOf({
    userId: 'ada',
    category: 'TEAM',
    categories: ['a'],
    metadata: { keep: 1, drop: { x: 1 }, deep: { y: 1, z: 2 } },
    ttlMs: 1_000,
  });
  const checked = validatePatch(
    { content: 'prefers spaces', metadata: { drop: null, deep: { y: 5 } }, expiresAt: null },
    context,
  );
  expect(checked.kind).toBe('patch');
  if (checked.kind !== 'patch') return;
  const later = { nowMs: NOW + 5 };
  const patched = patchEntry(body, decodePatch(checked.bytes), later);
  const said = { content: 'prefers spaces', metadata: { keep: 1, deep: { y: 5, z: 2 } } };
  const expected = { ...body, ...said, expiresAt: 0, updatedAt: NOW + 5 };
  expect(patched).toEqual({
    kind: 'entry',
    body: { ...expected, checksum: entryChecksum(expected) },
  });
});

test('D6: null empties what an entry may lack', () => {
  const body = bodyOf({ category: 'TEAM', categories: ['a'], metadata: { a: 1 }, ttlMs: 5 });
  const patch = { category: null, categories: null, metadata: null, expiresAt: null };
  expect(patchEntry(body, patch, context)).toMatchObject({
    body: { content: body.content, category: '', categories: [], metadata: {}, expiresAt: 0 },
  });
});

test('D6: an immutable entry is not patched', () => {
  const body = bodyOf({ immutable: true });
  expect(patchEntry(body, { content: 'x' }, context)).toEqual({ kind: 'immutable' });
});

test('D6: what does not fit after merging is refused with the size', () => {
  const body = bodyOf({ metadata: { a: 'x'.repeat(10_000) } });
  const patched = patchEntry(body, { metadata: { b: 'x'.repeat(10_000) } }, context);
  expect(patched.kind === 'invalid' && patched.problems.map(problemText)).toEqual([
    'metadata: expected at most 16384 bytes as JSON when merged, got 20015 bytes.',
  ]);
});

test.each([
  { patch: { userId: 'eve' }, problem: 'expected one of content, category, categories, metadata' },
  { patch: {}, problem: 'expected at least one of content, category' },
  { patch: { content: undefined }, problem: 'expected at least one of content, category' },
  { patch: { content: null }, problem: 'content: expected text, got null.' },
  { patch: { category: 'PATERN' }, problem: 'category: expected one of PATTERN, ERROR' },
  { patch: { expiresAt: 0 }, problem: 'expiresAt: expected a whole number from 1' },
  { patch: { expiresAt: 17 }, problem: 'expiresAt: expected milliseconds after now' },
  { patch: { metadata: { a: undefined } }, problem: 'metadata.a: expected a JSON value' },
  { patch: { metadata: [] }, problem: 'metadata: expected an object, got a list of 0.' },
  { patch: { content: '\u0001'.repeat(60_000) }, problem: 'at most 262144 bytes as JSON' },
  { patch: null, problem: 'expected a plain object, got null.' },
])('D1: the patch $patch is refused', ({ patch, problem }) => {
  expect(problemsOf(patch)).toEqual([expect.stringContaining(problem)]);
});

test('D3: a patch is normalised like an entry, and says so', () => {
  expect(validatePatch({ category: 'team' }, context)).toMatchObject({
    patch: { category: 'TEAM' },
    normalised: [{ path: 'category', from: 'team', to: 'TEAM' }],
  });
});

test('D2: metadata of 32 levels fits into a patch', () => {
  let metadata: JsonValue = {};
  for (let i = 1; i < 32; i++) metadata = { a: metadata };
  const checked = validatePatch({ metadata }, context);
  expect(checked.kind).toBe('patch');
  if (checked.kind === 'patch') expect(decodePatch(checked.bytes)).toEqual({ metadata });
});

test('D1: whatever is given, the answer is a patch or described problems', () => {
  const patch = fc.record(
    {
      content: fc.oneof(fc.anything(), fc.string()),
      category: fc.anything(),
      metadata: fc.oneof(fc.anything(), fc.dictionary(fc.string(), fc.jsonValue())),
      expiresAt: fc.anything(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything(), patch), (input) => {
      const checked = validatePatch(input, context);
      if (checked.kind === 'patch') {
        expect(decodePatch(checked.bytes)).toEqual(checked.patch);
        expect(patchEntry(bodyOf(), checked.patch, context).kind).not.toBe('immutable');
      } else {
        expect(checked.problems.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 1_000 },
  );
});
