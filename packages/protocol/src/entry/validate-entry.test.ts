import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIMITS } from '../limits.ts';
import { sliceOf } from '../placement/shard.ts';
import { decodeEntry, encodeEntry } from './entry-fields.ts';
import { makeEntryId } from './entry-id.ts';
import { problemText } from './problem-list.ts';
import { validateEntry } from './validate-entry.ts';

const NOW = 1_790_000_000_000;
const context = { namespace: 'default', nowMs: NOW };

/** Time is an input in this package, so nothing here may name its class. */
const [DATE] = fc.sample(fc.date(), 1);

function problemsOf(input: unknown): readonly string[] {
  const checked = validateEntry(input, context);
  return checked.kind === 'invalid' ? checked.problems.map(problemText) : [];
}

/** Problems of one entry whose other parts are fine. */
function problemsWith(fields: Readonly<Record<string, unknown>>): readonly string[] {
  return problemsOf({ content: 'x', ...fields });
}

test('D1: an entry of content alone is complete', () => {
  const checked = validateEntry({ content: 'prefers tabs', userId: 'ada' }, context);
  expect(checked).toMatchObject({
    kind: 'entry',
    id: undefined,
    normalised: [],
    body: {
      userId: 'ada',
      agentId: '',
      content: 'prefers tabs',
      category: '',
      categories: [],
      metadata: {},
      createdAt: NOW,
      updatedAt: NOW,
      expiresAt: 0,
      immutable: false,
      schema: '',
      schemaVersion: 0,
    },
  });
});

test('D1: everything that is wrong is reported at once, with path, limit and value', () => {
  const problems = problemsOf({
    id: '',
    userId: 17,
    agentId: 'bot\n',
    contnet: 'typo',
    content: 'x'.repeat(70_000),
    category: 'PATERN',
    categories: ['ok', ''],
    metadata: { a: [1, Number.NaN], when: DATE },
    expiresAt: 1_790_000_000,
    ttlMs: 5,
    immutable: 'yes',
    schema: { name: 'memory', version: 0.5 },
  });
  expect(problems).toEqual([
    'expected one of id, userId, agentId, appId, runId, content, category, categories, metadata, ' +
      'expiresAt, ttlMs, immutable, schema in the entry, got "contnet".',
    'id: expected at least one character, got "".',
    `content: expected at most 65536 bytes, got 70000 bytes: "${'x'.repeat(40)}"… (70000 characters).`,
    'category: expected one of PATTERN, ERROR, TEAM, PROJECT, got "PATERN".',
    'categories[1]: expected at least one character, got "".',
    'metadata.a[1]: expected a finite number, got NaN.',
    'metadata.when: expected a plain object or a list, got a Date.',
    'schema.version: expected a whole number from 1 to 9007199254740991, got 0.5.',
    'userId: expected text, got 17.',
    'agentId: expected no control characters, got "bot\\n".',
    'ttlMs: expected nothing beside expiresAt, got 5.',
    `expiresAt: expected milliseconds after now (${NOW}), got 1790000000.`,
    'immutable: expected true or false, got "yes".',
  ]);
});

test.each([
  { value: undefined, got: 'undefined' },
  { value: null, got: 'null' },
  { value: 'text', got: '"text"' },
  { value: [], got: 'a list of 0' },
  { value: new Map(), got: 'a Map' },
  { value: new (class Note {})(), got: 'a Note' },
  { value: 10n ** 30n, got: 'a bigint' },
  { value: () => 'x', got: 'a function' },
])('D1: $got is no entry', ({ value, got }) => {
  expect(problemsOf(value)).toContain(`expected a plain object, got ${got}.`);
});

test.each([
  { name: 'NUL', content: 'a\0b', problem: 'text without NUL' },
  { name: 'half of a pair', content: 'a\ud800b', problem: 'well-formed text' },
  { name: 'a byte order mark', content: '\ufeffa', problem: 'text without a byte order mark' },
  { name: 'no text', content: 5, problem: 'expected text, got 5' },
  { name: 'nothing', content: undefined, problem: 'expected text, got undefined' },
])('D2: content with $name is refused', ({ content, problem }) => {
  expect(problemsWith({ content })).toEqual([expect.stringMatching(`^content: .*${problem}`)]);
});

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

const cyclic: Record<string, unknown> = { a: 1 };
cyclic['self'] = { inner: [cyclic] };

const holed: unknown[] = [1];
holed[2] = 2;

const billion: unknown[] = [];
billion.length = 1_000_000_000;

let laughs: unknown = 'ha';
for (let i = 0; i < 31; i++) laughs = [laughs, laughs];

const throwing = {
  get trap(): never {
    throw new Error('boom');
  },
};
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();

test.each([
  { name: 'a bigint', value: 5n, problem: 'metadata.x: expected a JSON value, got a bigint.' },
  { name: 'undefined', value: undefined, problem: 'metadata.x: expected a JSON value' },
  { name: 'a function', value: () => 1, problem: 'metadata.x: expected a JSON value' },
  { name: 'a symbol', value: Symbol('s'), problem: 'metadata.x: expected a JSON value' },
  { name: 'NaN', value: Number.NaN, problem: 'metadata.x: expected a finite number, got NaN.' },
  { name: 'infinity', value: -Infinity, problem: 'metadata.x: expected a finite number' },
  { name: 'a Date', value: DATE, problem: 'metadata.x: expected a plain object or a list' },
  { name: 'a Map', value: new Map(), problem: 'metadata.x: expected a plain object or a list' },
  { name: 'bytes', value: new Uint8Array(3), problem: 'metadata.x: expected a plain object' },
  {
    name: 'a boxed text',
    value: Object('x') as unknown,
    problem: 'metadata.x: expected a plain object',
  },
  { name: 'Math', value: Math, problem: 'metadata.x: expected a plain object' },
  { name: 'a symbol name', value: { [Symbol('s')]: 1 }, problem: 'metadata.x: expected a plain' },
  { name: 'NUL', value: ['a\0'], problem: 'metadata.x[0]: expected text without NUL' },
  { name: 'half a pair', value: { y: '\udc00' }, problem: 'metadata.x.y: expected well-formed' },
  { name: 'NUL in a name', value: { 'a\0': 1 }, problem: 'metadata.x["a\\u0000"]: expected text' },
  { name: 'a hole', value: holed, problem: 'metadata.x[1]: expected a JSON value' },
  { name: '33 levels', value: nested(32), problem: 'expected at most 32 lists and objects' },
  { name: '10,000 levels', value: nested(10_000), problem: 'expected at most 32 lists' },
  { name: 'a cycle', value: cyclic, problem: 'metadata.x.self.inner[0]: expected no cycle' },
  { name: 'a billion holes', value: billion, problem: 'metadata: expected at most 16384 bytes' },
  { name: 'a shared tree', value: laughs, problem: 'metadata: expected at most 16384 bytes' },
  { name: 'a getter that throws', value: throwing, problem: 'metadata.x: expected a value that' },
  {
    name: 'a dead proxy',
    value: revoked,
    problem: 'metadata.x: expected a value that can be read',
  },
])('D2: $name in metadata is refused', ({ value, problem }) => {
  const problems = problemsWith({ metadata: { x: value, fine: 1 } });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(problem);
});

test.each(['__proto__', 'constructor', 'prototype'])(
  'D2: the name %s is refused at any depth, and reaches no prototype',
  (name) => {
    const bad = JSON.parse(`{"a":[{"${name}":{"polluted":true}}]}`) as unknown;
    const step = `metadata.a[0].${name}`;
    expect(problemsWith({ metadata: bad })).toEqual([
      `${step}: expected another name: this one is no data in JavaScript, got "${name}".`,
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  },
);

test('D2: metadata is held to its size as canonical JSON', () => {
  const room = LIMITS.metadataBytesMax - '{"a":""}'.length;
  expect(problemsWith({ metadata: { a: 'x'.repeat(room) } })).toEqual([]);
  expect(problemsWith({ metadata: { a: 'x'.repeat(room + 1) } })).toEqual([
    'metadata: expected at most 16384 bytes as JSON, got 16385 bytes.',
  ]);
  expect(problemsWith({ metadata: { a: 'ü'.repeat(room / 2 + 1) } })).toHaveLength(1);
});

test('D2: a million wrong values are 64 problems', () => {
  const metadata = { a: Array.from({ length: 10_000 }, () => Number.NaN) };
  expect(problemsWith({ metadata })).toHaveLength(LIMITS.problemsMax);
});

test.each([
  { category: ' error  ', to: 'ERROR' },
  { category: 'pattern', to: 'PATTERN' },
  { category: 'Team', to: 'TEAM' },
])('D3: the category "$category" becomes $to, and the writer is told', ({ category, to }) => {
  const checked = validateEntry({ content: 'x', category }, context);
  expect(checked).toMatchObject({
    body: { category: to },
    normalised: [{ path: 'category', from: category, to }],
  });
});

test('D3: a category that fits is left alone, also where a schema decides', () => {
  const known = validateEntry({ content: 'x', category: 'ERROR' }, context);
  expect(known).toMatchObject({ body: { category: 'ERROR' }, normalised: [] });
  const any = { ...context, categories: 'any' } as const;
  const free = validateEntry({ content: 'x', category: 'personal_details' }, any);
  expect(free).toMatchObject({ body: { category: 'personal_details' }, normalised: [] });
  const own = { ...context, categories: ['food'] };
  expect(validateEntry({ content: 'x', category: 'FOOD' }, own).kind).toBe('invalid');
});

test('D3: scopes, content and categories are never changed', () => {
  const given = { content: ' a ', userId: ' Ada ', categories: [' x '] };
  const checked = validateEntry(given, context);
  expect(checked).toMatchObject({ body: given, normalised: [] });
});

test('D4: an id that carries another place than the owner is refused', () => {
  const slice = sliceOf('default\0u\0ada');
  const own = makeEntryId(NOW, slice, [1, 2]);
  const foreign = makeEntryId(NOW, slice ^ 1, [1, 2]);
  expect(problemsWith({ id: own, userId: 'ada' })).toEqual([]);
  expect(problemsWith({ id: foreign, userId: 'ada' })).toEqual([
    expect.stringMatching(/^id: expected an id that is no UUID of version 8, or one .*, got "/),
  ]);
  // Without an owner the id itself decides.
  expect(problemsWith({ id: foreign })).toEqual([]);
  expect(problemsWith({ id: 'my own', userId: 'ada' })).toEqual([]);
});

test('D1: a time to live counts from now', () => {
  const checked = validateEntry({ content: 'x', ttlMs: 5 }, context);
  expect(checked).toMatchObject({ body: { expiresAt: NOW + 5 } });
  expect(problemsWith({ ttlMs: 2 ** 48 })).toHaveLength(1);
  expect(problemsWith({ ttlMs: 0 })).toHaveLength(1);
});

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
});

test('D1: whatever is given, the answer is an entry or described problems', () => {
  const entry = fc.record(
    {
      id: anything,
      userId: anything,
      content: fc.oneof(anything, fc.string()),
      category: fc.oneof(anything, fc.constantFrom('ERROR', 'team')),
      categories: fc.oneof(anything, fc.array(fc.string())),
      metadata: fc.oneof(anything, fc.dictionary(fc.string(), anything)),
      expiresAt: anything,
      schema: anything,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(anything, entry), (input) => {
      const checked = validateEntry(input, context);
      if (checked.kind === 'invalid') {
        expect(checked.problems.length).toBeGreaterThan(0);
        for (const problem of checked.problems) expect(problemText(problem)).toMatch(/\.$/);
      } else {
        expect(decodeEntry(checked.bytes)).toEqual(checked.body);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('D5: what was accepted is read back unchanged, and encoded to the same bytes', () => {
  const metadata = fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.jsonValue());
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), metadata, (content, given) => {
      const checked = validateEntry({ content, metadata: given }, context);
      fc.pre(checked.kind === 'entry');
      if (checked.kind !== 'entry') return;
      const read = decodeEntry(checked.bytes);
      expect(read.content).toBe(content);
      // JSON has no minus zero.
      expect(read.metadata).toEqual(JSON.parse(JSON.stringify(given)));
      expect([...encodeEntry(read)]).toEqual([...checked.bytes]);
    }),
  );
});
