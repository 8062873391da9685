import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeValue, decodeValue } from '../codec.ts';
import { pack } from '../wire/msgpack.ts';
import { WireError } from '../wire/wire-error.ts';
import { canonicalJson } from './canonical-json.ts';
import type { JsonObject, JsonValue } from './entry.ts';
import { entryChecksum } from './entry-checksum.ts';
import { jsonObjectField } from './json-field.ts';

const field = jsonObjectField(4096);

test.each([
  { value: { b: 1, a: 2, '10': 3, '9': 4 }, text: '{"10":3,"9":4,"a":2,"b":1}' },
  {
    value: { '\u20ac': 1, '\r': 2, '\ud83d\ude00': 3, '\ufb33': 4 },
    text: '{"\\r":2,"€":1,"😀":3,"\ufb33":4}',
  },
  { value: [1e30, 4.5, 2e-3, 1e-27, -0], text: '[1e+30,4.5,0.002,1e-27,0]' },
  { value: [null, true, false, [], {}], text: '[null,true,false,[],{}]' },
  { value: '\u000f\n"\\/', text: '"\\u000f\\n\\"\\\\/"' },
])('D5: $text is the one text of its value', ({ value, text }) => {
  expect(canonicalJson(value as JsonValue)).toBe(text);
});

test('D5: the text says the value, and the order of names does not matter', () => {
  const names = fc.string().filter((name) => name !== '__proto__');
  const value = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(fc.dictionary(names, value), (object) => {
      fc.pre(acceptable(object as JsonObject));
      const text = canonicalJson(object as JsonObject);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(object)));
      const reversed = Object.fromEntries(Object.entries(object).toReversed());
      expect(canonicalJson(reversed as JsonObject)).toBe(text);
    }),
  );
});

function acceptable(value: JsonValue): boolean {
  try {
    canonicalJson(value);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return false;
  }
}

test.each([
  '{"a": 1}',
  '{"b":1,"a":2}',
  '{"a":1,"a":1}',
  '{"a":1.0}',
  '{"a":-0}',
  '{"a":"\\u0041"}',
  '{"a":"\\ud800"}',
  '{"a":"\\u0000"}',
  '{"__proto__":1}',
  '{"a":{"constructor":1}}',
  '[1]',
  '1',
  'null',
  '',
  '{',
  `{"a":${'['.repeat(2_000)}${']'.repeat(2_000)}}`,
])('D2: the text %s is refused where an object is read', (text) => {
  expect(() => decodeValue(field, pack(text))).toThrow(WireError);
});

test('D5: an object is read as it was written, and its size is known', () => {
  const object: JsonObject = { b: [1, { c: 'ü' }], a: null };
  const bytes = encodeValue(field, object);
  expect(decodeValue(field, bytes)).toEqual(object);
  expect(field.bytes(object)).toBe(bytes.length);
});

test('D5: checksums have been these since the first version, and name what an entry says', () => {
  const body = {
    content: 'prefers tabs',
    category: 'PATTERN',
    categories: ['style'],
    metadata: { b: 1, a: [true, 'ü'] },
  };
  const checksum = entryChecksum(body);
  expect(checksum).toBe('03978e2dd31acf3e');
  expect(entryChecksum({ ...body, metadata: { a: [true, 'ü'], b: 1 } })).toBe(checksum);
  const others = [
    { ...body, content: 'prefers tab' },
    { ...body, category: '' },
    { ...body, categories: [] },
    { ...body, categories: ['style', ''] },
    { ...body, metadata: {} },
  ];
  expect(new Set([checksum, ...others.map(entryChecksum)]).size).toBe(6);
});
