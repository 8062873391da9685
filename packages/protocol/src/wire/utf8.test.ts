import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitUtf8, utf8Bytes } from './utf8.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);

test('the length is that of the encoded text, or -1 for half a surrogate pair', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const wellFormed = (text as string & { isWellFormed(): boolean }).isWellFormed();
      expect(utf8Bytes(text)).toBe(wellFormed ? Buffer.byteLength(text) : -1);
    }),
  );
});

test('a text is cut between characters, to the longest beginning that fits', () => {
  fc.assert(
    fc.property(anyText, fc.nat(40), (text, bytesMax) => {
      const kept = fitUtf8(text, bytesMax);
      const whole = Buffer.from(text).toString();
      expect(whole.startsWith(kept)).toBe(true);
      expect(utf8Bytes(kept)).toBeGreaterThanOrEqual(0);
      expect(utf8Bytes(kept)).toBeLessThanOrEqual(bytesMax);
      const next = [...whole.slice(kept.length)][0] ?? '';
      if (next !== '') expect(utf8Bytes(kept + next)).toBeGreaterThan(bytesMax);
    }),
  );
});
