import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../wire/utf8.ts';
import { hash64, hash64Of, mix32, murmur3 } from './hash.ts';

// Vectors of MurmurHash3_x86_32 that implementations of many languages share.
test.each([
  { bytes: [], seed: 0, hash: 0 },
  { bytes: [], seed: 1, hash: 0x514e28b7 },
  { bytes: [], seed: 0xffffffff, hash: 0x81f16f39 },
  { bytes: [0xff, 0xff, 0xff, 0xff], seed: 0, hash: 0x76293b50 },
  { bytes: [0x21, 0x43, 0x65, 0x87], seed: 0, hash: 0xf55b516b },
  { bytes: [0x21, 0x43, 0x65, 0x87], seed: 0x5082edee, hash: 0x2362f9de },
  { bytes: [0x21, 0x43, 0x65], seed: 0, hash: 0x7e4a8634 },
  { bytes: [0x21, 0x43], seed: 0, hash: 0xa0f7b07a },
  { bytes: [0x21], seed: 0, hash: 0x72661cf4 },
  { bytes: [0, 0, 0, 0], seed: 0, hash: 0x2362f9de },
  { bytes: [0, 0, 0], seed: 0, hash: 0x85f0b427 },
  { bytes: [0, 0], seed: 0, hash: 0x30f4c306 },
  { bytes: [0], seed: 0, hash: 0x514e28b7 },
])('R1: murmur3 of $bytes with seed $seed is the published one', ({ bytes, seed, hash }) => {
  expect(murmur3(Uint8Array.from(bytes), seed)).toBe(hash);
});

test.each([
  { text: 'a', hash: 0x7fa09ea6 },
  { text: 'ab', hash: 0x74875592 },
  { text: 'abc', hash: 0xc84a62dd },
  { text: 'abcd', hash: 0xf0478627 },
  { text: 'Hello, world!', hash: 0x24884cba },
  { text: 'ππππππππ', hash: 0xd58063c1 },
])('R1: murmur3 of "$text" is the published one', ({ text, hash }) => {
  expect(murmur3(encodeUtf8(text), 0x9747b28c)).toBe(hash);
});

test('R1: murmur3 has the verification value that SMHasher publishes for it', () => {
  // Keys of 0 to 255 bytes with seeds 256 to 1; then the hash of all of those hashes.
  const hashes = new Uint8Array(1024);
  const view = new DataView(hashes.buffer);
  const key = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (let i = 0; i < 256; i++) {
    view.setUint32(4 * i, murmur3(key.subarray(0, i), 256 - i), true);
  }
  expect(murmur3(hashes, 0)).toBe(0xb0f57ee3);
});

test('R1: the two lanes of a text are those that have placed it since the first version', () => {
  expect(hash64('')).toEqual({ high: 327_721_211, low: 3_990_966_814 });
  expect(hash64('acme\0alice\0')).toEqual({ high: 1_474_036_585, low: 2_098_118_426 });
});

test('R1: each lane is a murmur3 of its own', () => {
  const anyText = fc.string({ unit: 'grapheme', maxLength: 700 });
  fc.assert(
    fc.property(anyText, fc.nat(9), (text, more) => {
      const bytes = encodeUtf8(text);
      const lanes = { high: murmur3(bytes, 0x243f6a88), low: murmur3(bytes, 0x85a308d3) };
      expect(hash64(text)).toEqual(lanes);
      const longer = new Uint8Array(bytes.length + more);
      longer.set(bytes);
      expect(hash64Of(longer, bytes.length)).toEqual(lanes);
    }),
  );
});

test('R1: texts are hashed as UTF-8, and half a surrogate pair is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      expect(Buffer.from(encodeUtf8(text)).toString('hex')).toBe(Buffer.from(text).toString('hex'));
    }),
  );
  expect(() => hash64('\ud800')).toThrow(RangeError);
});

test('R1: the finaliser is one to one', () => {
  const seen = new Set(Array.from({ length: 100_000 }, (_, value) => mix32(value)));
  expect(seen.size).toBe(100_000);
});
