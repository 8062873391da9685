import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ASCII_ROOM_BYTES, offerPlatformText, readAscii, writeAscii } from './platform-text.ts';

function offerNodes(): void {
  offerPlatformText({
    readAscii: (bytes, start, end) => Buffer.from(bytes.subarray(start, end)).toString('latin1'),
    writeUtf8: (bytes, text, at) =>
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).write(text, at, 'utf8'),
  });
}

test('W2: the platform changes no character, whatever the length', () => {
  const ascii = fc.uint8Array({ min: 0, max: 127, maxLength: 3_000 });
  const texts = new Map<Uint8Array, string>();
  for (const bytes of fc.sample(ascii, 200)) texts.set(bytes, readAscii(bytes, 0, bytes.length));
  offerNodes();
  for (const [bytes, text] of texts) {
    expect(text).toBe(Buffer.from(bytes).toString('latin1'));
    expect(readAscii(bytes, 0, bytes.length)).toBe(text);
  }
});

test('W2: only a text that is all ASCII is written as one, also where the room ends', () => {
  offerNodes();
  const text = fc
    .tuple(fc.string({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 3 }), fc.nat(200))
    .map(([ascii, other, at]) => ascii.slice(0, at) + other + ascii.slice(at));
  fc.assert(
    fc.property(text, fc.constantFrom('', '\ud800', '👋', 'ü', '\0'), fc.nat(9), (one, end, at) => {
      const value = one + end;
      const bytes = new Uint8Array(at + value.length + ASCII_ROOM_BYTES);
      const isAscii = Array.from(value).every((letter) => letter < '\u0080');
      expect(writeAscii(value, bytes, at)).toBe(isAscii);
      if (isAscii) expect(readAscii(bytes, at, at + value.length)).toBe(value);
    }),
    { numRuns: 1_000 },
  );
});
