import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIMITS } from '../limits.ts';
import { makeEntryId } from './entry-id.ts';
import { writeUsualEntry } from './usual-entry.ts';
import { validateEntry } from './validate-entry.ts';

const NOW = 1_790_000_000_000;
const context = { namespace: 'default', nowMs: NOW, categories: 'any' } as const;

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    '\ufeffmarked',
    ' padded ',
    'line\nbreak',
    '"quoted"',
    'back\\slash',
    '\0',
    '\ud800',
  ),
);
const scalar = fc.oneof(text, fc.double(), fc.integer(), fc.boolean(), fc.constant(null));
const metadata = fc.oneof(
  fc.dictionary(
    fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'b', 'a', '10', '9')),
    scalar,
  ),
  fc.dictionary(fc.string(), scalar, { noNullPrototype: true }),
  fc.dictionary(text, fc.anything()),
);
const odd = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 20, arbitrary: value as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: text },
    { weight: 1, arbitrary: fc.anything() },
  );
const name = odd(fc.string({ minLength: 1, maxLength: 20 }));
const expiry = fc.oneof(
  fc.record({ expiresAt: odd(fc.integer({ min: NOW - 2, max: NOW + 9 })) }),
  fc.record({ ttlMs: odd(fc.oneof(fc.integer({ min: -1, max: 9 }), fc.constant(1.5))) }),
  fc.record({ expiresAt: fc.constant(2 ** 48 - 1), ttlMs: fc.constant(undefined) }),
  fc.constant({}),
);

const usualFields = fc.record(
  {
    id: odd(fc.oneof(name, fc.constant(makeEntryId(NOW, 7, [1, 2])))),
    userId: name,
    agentId: name,
    appId: name,
    runId: name,
    content: odd(fc.string()),
    category: name,
    categories: fc.constant(undefined),
    metadata,
    immutable: odd(fc.boolean()),
  },
  { requiredKeys: ['content'], noNullPrototype: true },
);
const entry = fc.tuple(usualFields, expiry).map(([fields, more]) => ({ ...fields, ...more }));

/** What the way that takes everything makes of it. */
function slowly(input: unknown): unknown {
  const valid = validateEntry(input, context);
  if (valid.kind === 'invalid' || valid.normalised.length > 0) return undefined;
  const { id, bytes, body } = valid;
  const { userId, agentId, appId, runId } = body;
  return { id, userId, agentId, appId, runId, bytes };
}

test('D1: what is written in one pass is what the checks in full would have written', () => {
  let written = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        { weight: 9, arbitrary: entry as fc.Arbitrary<unknown> },
        { weight: 1, arbitrary: fc.anything() },
      ),
      (input) => {
        const usual = writeUsualEntry(input, context);
        if (usual === undefined) return;
        written += 1;
        expect(usual).toEqual(slowly(input));
      },
    ),
    { numRuns: 3_000 },
  );
  expect(written).toBeGreaterThan(100);
});

test.each([
  { content: 'prefers tabs', userId: 'ada' },
  { id: 'own', content: 'two\nlines, "quoted" and back\\slashed', agentId: 'scribe' },
  { content: 'Grüße 👋', category: 'FACT', metadata: { b: 'ü', a: 1.5, c: null, d: true } },
  { content: '', appId: 'a', runId: 'r', ttlMs: 60_000, immutable: true },
  { content: 'x', expiresAt: NOW + 1, metadata: {} },
  { content: 'x'.repeat(LIMITS.contentBytesMax) },
  { content: 'x', metadata: { 10: 'numbers', 9: 'come first' } },
])('D1: %j is as usual as can be', (input) => {
  expect(writeUsualEntry(input, context)).toEqual(slowly(input));
  expect(writeUsualEntry(input, context)).toBeDefined();
});

test.each([
  [{ content: 'x'.repeat(LIMITS.contentBytesMax + 1) }],
  [{ content: 'ü'.repeat(LIMITS.contentBytesMax / 2 + 1) }],
  [{ content: 'x', metadata: { a: 'x'.repeat(LIMITS.metadataBytesMax) } }],
  [{ content: 'x', metadata: { a: undefined } }],
  [{ content: 'x', unknown: 1 }],
  [{ userId: 'no content' }],
  [{ content: undefined }],
  [Object.create({ content: 'inherited' })],
  [
    new (class Entry {
      content = 'x';
    })(),
  ],
  [{ content: 'x', [Symbol('s')]: 1 }],
  [{ content: 'x', expiresAt: NOW + 1, ttlMs: 1 }],
  [{ content: 'x', ttlMs: 1_000.00001 }],
  [
    {
      get content(): string {
        throw new Error('unreadable');
      },
    },
  ],
  [
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('unreadable');
        },
      },
    ),
  ],
  [null],
  ['text'],
])('D1: %# is left to the checks in full', (input) => {
  expect(writeUsualEntry(input, context)).toBeUndefined();
});
