import fc from 'fast-check';
import { expect, test } from 'vitest';
import { passingBytes } from './field.ts';
import type { WireValue } from './msgpack.ts';
import { hasControlCharacter, name } from './name-field.ts';
import { utf8Bytes } from './utf8.ts';
import { WireError } from './wire-error.ts';

function accepts(field: { fromWire(raw: WireValue): unknown }, raw: unknown): boolean {
  try {
    expect(field.fromWire(raw as WireValue)).toBe(raw);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return false;
  }
}

test('W5: a name is text of its length without control characters, by either way to see it', () => {
  const field = name(1, 12);
  const raw = fc.oneof(fc.string({ unit: 'binary', maxLength: 14 }), fc.string({ maxLength: 14 }));
  fc.assert(
    fc.property(raw, (text) => {
      const bytes = utf8Bytes(text);
      const valid =
        bytes >= 1 && bytes <= 12 && !hasControlCharacter(text) && !text.startsWith('\ufeff');
      expect(accepts(field, text)).toBe(valid);
      expect(valid ? field.toWire(text) : text).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

test.each([undefined, null, 5, true, new Uint8Array(3), ['a']])('W5: %s is no name', (raw) => {
  expect(accepts(name(0, 9), raw)).toBe(false);
});

test.each([
  { text: '', min: 0, valid: true },
  { text: '', min: 1, valid: false },
  { text: 'a\u007f', min: 0, valid: false },
  { text: 'a\u009f', min: 0, valid: false },
  { text: 'a\u00a0', min: 0, valid: true },
  { text: '\ud800', min: 0, valid: false },
] as const)('W5: "$text" is a name of $min bytes or more: $valid', ({ text, min, valid }) => {
  expect(accepts(name(min, 9), text)).toBe(valid);
});

test('W5: bytes that pass through are copies, also where they share memory', () => {
  const field = passingBytes(0, 4096);
  const sizes = fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(sizes, fc.nat(255), (lengths, seed) => {
      const sources = lengths.map((length, i) => new Uint8Array(length).fill(seed + i));
      const copies = sources.map((source) => field.fromWire(source));
      for (const source of sources) source.fill(0);
      copies.forEach((copy, i) => {
        expect(copy).toEqual(new Uint8Array(lengths[i] as number).fill(seed + i));
        expect(copy.buffer).not.toBe((sources[i] as Uint8Array).buffer);
      });
    }),
  );
});
