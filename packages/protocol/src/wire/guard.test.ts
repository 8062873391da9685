import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEPTH_MAX, guard, VALUES_MAX } from './guard.ts';
import { pack, unpack, type WireValue } from './msgpack.ts';
import { WireError } from './wire-error.ts';

const hostile = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

test.each([
  { name: 'nothing at all', bytes: hostile(), problem: 'byte 0: expected 1 more bytes, got 0.' },
  { name: 'a list of 2^32 - 1', bytes: hostile(0xdd, 255, 255, 255, 255), problem: '4294967295' },
  { name: 'a list of 65,535', bytes: hostile(0xdc, 255, 255, 1), problem: '65535 more' },
  { name: 'bytes of 4 GiB', bytes: hostile(0xc6, 255, 255, 255, 255, 0), problem: '4294967295' },
  { name: 'text of 4 GiB', bytes: hostile(0xdb, 255, 255, 255, 255, 65), problem: '4294967295' },
  { name: 'half a number', bytes: hostile(0xce, 1, 2), problem: 'expected 4 more bytes, got 2.' },
  { name: 'a map with __proto__', bytes: hostile(0x81, 0xa1, 0x5f, 0x01), problem: '0x81' },
  { name: 'a large map', bytes: hostile(0xdf, 0, 0, 0, 1, 1, 1), problem: '0xdf' },
  { name: 'an extension', bytes: hostile(0xd4, 0x65, 0x01), problem: '0xd4' },
  { name: 'an extension of any size', bytes: hostile(0xc7, 1, 1, 1), problem: '0xc7' },
  { name: 'a 64-bit integer', bytes: hostile(0xcf, 0, 0, 0, 0, 0, 0, 0, 1), problem: '0xcf' },
  { name: 'a 32-bit float', bytes: hostile(0xca, 0, 0, 0, 0), problem: '0xca' },
  { name: 'the byte that means nothing', bytes: hostile(0xc1), problem: '0xc1' },
  { name: 'two values', bytes: hostile(1, 2), problem: 'expected 1 bytes, got 2' },
  { name: 'text cut in a character', bytes: hostile(0xa1, 0xc3), problem: 'UTF-8' },
  { name: 'an overlong slash', bytes: hostile(0xa2, 0xc0, 0xaf), problem: 'UTF-8' },
  { name: 'half a surrogate pair', bytes: hostile(0xa3, 0xed, 0xa0, 0x80), problem: 'UTF-8' },
  { name: 'beyond U+10FFFF', bytes: hostile(0xa4, 0xf4, 0x90, 0x80, 0x80), problem: 'UTF-8' },
  { name: 'a byte order mark', bytes: hostile(0xa3, 0xef, 0xbb, 0xbf), problem: 'order mark' },
])('W5: $name is refused', ({ bytes, problem }) => {
  expect(() => guard(bytes)).toThrow(WireError);
  expect(() => guard(bytes)).toThrow(problem);
});

test('W5: lists may be nested as deep as the limit and not one deeper', () => {
  const nested = (depth: number): Uint8Array => {
    return Uint8Array.from([...Array.from({ length: depth }, () => 0x91), 0xc0]);
  };
  expect(() => guard(nested(DEPTH_MAX))).not.toThrow();
  expect(() => guard(nested(DEPTH_MAX + 1))).toThrow(`at most ${DEPTH_MAX} lists in lists`);
  expect(() => guard(nested(4_000_000))).toThrow(WireError);
});

test('W5: values are counted before memory is taken for them', () => {
  const nils = new Uint8Array(5 + VALUES_MAX).fill(0xc0);
  nils.set([0xdd, 0, VALUES_MAX >>> 16, (VALUES_MAX >>> 8) & 255, VALUES_MAX & 255]);
  expect(() => guard(nils)).toThrow(`at most ${VALUES_MAX} values`);
});

/** Everything that may be on the wire. */
const wireValue: fc.Arbitrary<WireValue> = fc.letrec<{ value: WireValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.string({ unit: 'grapheme', maxLength: 300 }).filter((text) => !text.startsWith('\ufeff')),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 40 }),
  ),
})).value;

test('W5: every wire value passes the guard and comes back equal', () => {
  fc.assert(
    fc.property(wireValue, (value) => {
      const bytes = pack(value);
      // Minus zero is written as zero.
      const plain = JSON.stringify(value, plainly);
      expect(JSON.stringify(unpack(bytes, bytes.length), plainly)).toBe(plain);
    }),
  );
});

function plainly(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return ['bytes', ...value];
  return typeof value === 'number' ? String(value) : value;
}

test('W5: the guard agrees with a decoder that everybody trusts about what UTF-8 is', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const anyBytes = fc.uint8Array({ maxLength: 31 });
  const lead = fc.constantFrom(0xc2, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0x41);
  const tail = fc.constantFrom(0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0);
  const likely = fc.array(fc.oneof(lead, tail), { maxLength: 31 }).map((b) => Uint8Array.from(b));
  fc.assert(
    fc.property(fc.oneof(anyBytes, likely), (bytes) => {
      fc.pre(!(bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf));
      const valid = doesNotThrow(() => decoder.decode(bytes));
      expect(doesNotThrow(() => guard(Uint8Array.of(0xa0 | bytes.length, ...bytes)))).toBe(valid);
    }),
    { numRuns: 2_000 },
  );
});

function doesNotThrow(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

test('W5: reading leaves no trace on the bytes, and larger ones than allowed are not read', () => {
  const bytes = pack([1, 'two']);
  unpack(bytes, bytes.length);
  expect(Object.keys(bytes)).toEqual(['0', '1', '2', '3', '4', '5']);
  expect(() => unpack(bytes, 5)).toThrow('expected at most 5 bytes, got 6 bytes.');
});
