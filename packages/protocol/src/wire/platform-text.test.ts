import fc from 'fast-check';
import { expect, test } from 'vitest';
import { offerPlatformText, readAscii } from './platform-text.ts';

test('W2: the platform changes no character, whatever the length', () => {
  const ascii = fc.uint8Array({ min: 0, max: 127, maxLength: 3_000 });
  const texts = new Map<Uint8Array, string>();
  for (const bytes of fc.sample(ascii, 200)) texts.set(bytes, readAscii(bytes, 0, bytes.length));
  offerPlatformText({
    readAscii: (bytes, start, end) => Buffer.from(bytes.subarray(start, end)).toString('latin1'),
  });
  for (const [bytes, text] of texts) {
    expect(text).toBe(Buffer.from(bytes).toString('latin1'));
    expect(readAscii(bytes, 0, bytes.length)).toBe(text);
  }
});
