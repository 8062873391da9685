import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeValue, encodeValue } from '../codec.ts';
import { hash64 } from '../placement/hash.ts';
import { STASH_FIELD } from '../schema/schema.ts';
import { WireError } from '../wire/wire-error.ts';
import type { EntryBody, JsonObject } from './entry.ts';
import { canonicalJson } from './canonical-json.ts';
import { entryChecksum } from './entry-checksum.ts';
import { entryBodyField } from './entry-fields.ts';
import { inSchema, usualEntryIn } from './entry-in-place.ts';
import { isUsualObject } from './json-in-place.ts';

const letters = fc.constantFrom(
  ...['a', 'Z', '"', '\\', '\n', '\u0001', '\u007f', '\u0085', 'ß', '€', '\u2028', '\ufb33', '😀'],
);
const anyText = fc.oneof(
  fc.array(letters, { maxLength: 8 }).map((all) => all.join('')),
  fc.string({ maxLength: 40 }).filter((text) => !text.includes('\0')),
  fc.constantFrom('', 'x'.repeat(31), 'x'.repeat(32), 'é'.repeat(128), 'y'.repeat(300)),
);
const anyName = anyText.map((text) => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ''));
const shortName = anyName.map((text) => Array.from(text).slice(0, 8).join(''));
const moment = fc.oneof(
  fc.constantFrom(0, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffffffff, 2 ** 32, 2 ** 52),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, 0, -1, 0.5, 1e21, 1e-7, 123_456_789_012_345, 2 ** 53),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    anyText,
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(
    fc.oneof(shortName, fc.constantFrom('a', 'ab', 'b', '10', '9', STASH_FIELD)),
    tie('value'),
    { maxKeys: 4 },
  ),
})).object as fc.Arbitrary<JsonObject>;

const entry: fc.Arbitrary<EntryBody> = fc
  .record({
    userId: anyName.map((text) => Array.from(text).slice(0, 64).join('')),
    agentId: shortName,
    appId: fc.constantFrom('', 'app'),
    runId: fc.constantFrom('', 'run'),
    content: anyText,
    category: fc.oneof(fc.constantFrom('', 'PATTERN'), shortName),
    categories: fc.array(shortName, { maxLength: 3 }),
    metadata: json,
    createdAt: moment,
    updatedAt: moment,
    expiresAt: moment,
    immutable: fc.boolean(),
    schema: fc.constantFrom('', 'memory', 'note'),
    schemaVersion: fc.constantFrom(0, 1, 2, 300),
    upstreamId: shortName,
    upstreamState: fc.constantFrom('none', 'queued', 'synced', 'refused'),
    upstreamHash: fc.constantFrom('', 'h'),
    upstreamConfirmedAt: moment,
  })
  .map((body) => ({ ...body, checksum: entryChecksum(body), superseded: [] }));

/** What the slow way makes of the same bytes; undefined when it refuses them. */
function judged(bytes: Uint8Array): { body: EntryBody; bytes: Uint8Array } | undefined {
  try {
    const body = decodeValue(entryBodyField, bytes);
    return { body, bytes: encodeValue(entryBodyField, body) };
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return undefined;
  }
}

function expectSameAsDecoded(bytes: Uint8Array): boolean {
  const usual = usualEntryIn(bytes);
  if (usual === undefined) return false;
  const slow = judged(bytes);
  expect(slow?.bytes).toEqual(bytes);
  const body = slow?.body as EntryBody;
  const { userId, agentId, appId, runId, category, schema, schemaVersion } = body;
  expect(usual).toMatchObject({
    owner: { userId, agentId, appId, runId },
    category,
    schema,
    schemaVersion,
  });
  expect(body.checksum).toBe(entryChecksum(body));
  expect(Object.keys(body.metadata)).not.toContain(STASH_FIELD);
  expect(body.superseded).toEqual([]);
  return true;
}

test('D9: an entry that is accepted in place is what a decoder reads of it', () => {
  let accepted = 0;
  fc.assert(
    fc.property(entry, (body) => {
      if (expectSameAsDecoded(encodeValue(entryBodyField, body))) accepted += 1;
    }),
    { numRuns: 2_000 },
  );
  // Stashes and rare characters in metadata are the exceptions.
  expect(accepted).toBeGreaterThan(1_000);
});

const change = fc.record({ at: fc.nat(), to: fc.nat(255) });

test('D9: no other bytes are accepted in place than those of an encoder', () => {
  fc.assert(
    fc.property(entry, fc.array(change, { minLength: 1, maxLength: 3 }), (body, changes) => {
      const bytes = encodeValue(entryBodyField, body);
      for (const { at, to } of changes) bytes[at % bytes.length] = to;
      expectSameAsDecoded(bytes);
    }),
    { numRuns: 4_000 },
  );
});

test('D9: what is said in another form than an encoder’s is not accepted in place', () => {
  const said = { content: 'c', category: '', categories: [], metadata: { a: 1 } };
  const bytes = encodeValue(entryBodyField, bodyOf({ ...said, checksum: entryChecksum(said) }));
  expect(usualEntryIn(bytes)).toBeDefined();
  for (let at = 0; at < bytes.length; at++) {
    for (let to = 0; to < 256; to++) {
      const mutant = bytes.slice();
      mutant[at] = to;
      expectSameAsDecoded(mutant);
    }
  }
  for (let length = 0; length < bytes.length; length++) {
    expect(usualEntryIn(bytes.subarray(0, length))).toBeUndefined();
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes.subarray(0, length));
    longer.set(bytes.subarray(length), length + 1);
    expectSameAsDecoded(longer);
  }
});

function bodyOf(overrides: Partial<EntryBody> = {}): EntryBody {
  const said = { content: 'tea', category: '', categories: [], metadata: {} };
  return {
    userId: 'u',
    agentId: '',
    appId: '',
    runId: '',
    ...said,
    createdAt: 1,
    updatedAt: 1,
    expiresAt: 0,
    immutable: false,
    schema: '',
    schemaVersion: 0,
    checksum: entryChecksum({ ...said, ...overrides }),
    upstreamId: '',
    upstreamState: 'none',
    upstreamHash: '',
    upstreamConfirmedAt: 0,
    superseded: [],
    ...overrides,
  };
}

/** Bytes whose metadata are this text, under the checksum of this very text, canonical or not. */
function withMetadata(text: string): Uint8Array {
  const { high, low } = hash64(`["tea","",[]]${text}`);
  const checksum = [high, low].map((word) => word.toString(16).padStart(8, '0')).join('');
  const bytes = encodeValue(entryBodyField, bodyOf({ checksum }));
  const at = bytes.findIndex((byte, i) => byte === 0x7b && bytes[i + 1] === 0x7d) - 1;
  const written = new TextEncoder().encode(text);
  const head = written.length < 32 ? [0xa0 | written.length] : [0xd9, written.length];
  return Uint8Array.from([
    ...bytes.subarray(0, at),
    ...head,
    ...written,
    ...bytes.subarray(at + 3),
  ]);
}

test.each([
  '{}',
  '{"a":1}',
  '{"a":-1,"b":[],"c":{},"d":[1,"2",null,true,false]}',
  '{"a":0.5,"b":1e+30,"c":1e-7,"d":-0.25}',
  '{"a":"ü€😀\u007f\u2028","ab":"\\n\\"\\\\\\t\\b\\f\\r","b":0}',
  '{"10":3,"9":4}',
  '{"":1,"ß":2}',
])('D9: metadata %s are accepted in place', (text) => {
  expect(expectSameAsDecoded(withMetadata(text))).toBe(true);
});

test.each([
  '{"a": 1}',
  '{"b":1,"a":2}',
  '{"a":1,"a":1}',
  '{"ab":1,"a":1}',
  '{"a":1.0}',
  '{"a":01}',
  '{"a":-}',
  '{"a":-0}',
  '{"a":1e5}',
  '{"a":1e400}',
  '{"a":12345678901234567890123}',
  '{"a":"\\u0041"}',
  '{"a":"\\/"}',
  '{"a":"\\ud800"}',
  '{"a":"\\u0000"}',
  '{"a":"\u0001"}',
  '{"__proto__":1}',
  '{"a":{"constructor":1}}',
  '{"$stash":{}}',
  '{"a":nul}',
  '{"a":1,}',
  '{"a":[1,]}',
  '{"a":1}}',
  '{"a"}',
  '{a:1}',
  '[1]',
  '1',
  'null',
  '',
  '{',
  `{"a":${'['.repeat(32)}${']'.repeat(32)}}`,
])('D9: metadata %s are left to the decoder', (text) => {
  expect(usualEntryIn(withMetadata(text))).toBeUndefined();
});

test('D9: text that was changed is accepted in place only where it is canonical still', () => {
  const pieces = fc.constantFrom(...'{}[]",:\\/ 0159-+.eEabntu_'.split(''), 'null', '"a":', 'ü');
  const edit = fc.record({ at: fc.nat(), cut: fc.nat(2), put: pieces });
  let accepted = 0;
  fc.assert(
    fc.property(json, fc.array(edit, { maxLength: 2 }), (object, edits) => {
      let text = canonicalText(object) ?? '{}';
      for (const { at, cut, put } of edits) {
        const place = 1 + (at % text.length);
        text = text.slice(0, place) + put + text.slice(place + cut);
      }
      if (!text.isWellFormed()) return;
      const bytes = new TextEncoder().encode(text);
      if (!isUsualObject(bytes, 0, bytes.length)) return;
      accepted += 1;
      expect(canonicalText(JSON.parse(text) as JsonObject)).toBe(text);
    }),
    { numRuns: 4_000 },
  );
  expect(accepted).toBeGreaterThan(200);
});

function canonicalText(object: JsonObject): string | undefined {
  try {
    return canonicalJson(object);
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return undefined;
  }
}

test('D9: metadata may be as deep in place as for the decoder', () => {
  const deep = (levels: number): Uint8Array =>
    withMetadata(`{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`);
  expect(expectSameAsDecoded(deep(31))).toBe(true);
  expect(usualEntryIn(deep(32))).toBeUndefined();
});

test.each([
  { what: 'a wrong checksum', body: { checksum: '0123456789abcdef' } },
  { what: 'a merge', body: { superseded: [{ content: '', timestamp: { ms: 1, counter: 1 } }] } },
  { what: 'more than is known', body: { unknownFields: [1] } },
])('D9: an entry with $what is left to the decoder', ({ body }) => {
  expect(usualEntryIn(encodeValue(entryBodyField, bodyOf(body)))).toBeUndefined();
});

test('D9: a long content is accepted in place, and one that is too long is not', () => {
  const long = 'ü'.repeat(32 * 1024 - 1);
  expect(expectSameAsDecoded(encodeValue(entryBodyField, bodyOf({ content: long })))).toBe(true);
  const longest = encodeValue(entryBodyField, bodyOf({ content: 'x'.repeat(64 * 1024) }));
  expect(usualEntryIn(longest)).toBeUndefined();
  expect(judged(longest)?.bytes).toEqual(longest);
});

test('D9: another schema makes the bytes that an encoder makes', () => {
  const schema = fc.constantFrom('', 'memory', 'nöte');
  const version = fc.constantFrom(0, 1, 200, 2 ** 40);
  fc.assert(
    fc.property(entry, schema, version, (body, name, number) => {
      const usual = usualEntryIn(encodeValue(entryBodyField, body));
      if (usual === undefined) return;
      const changed = { ...body, schema: name, schemaVersion: number };
      expect(inSchema(usual, name, number)).toEqual(encodeValue(entryBodyField, changed));
    }),
  );
});
