import { expect, test } from 'vitest';
import { unpackSnappy } from './snappy.ts';

const abc = [97, 98, 99];
const long = Array.from({ length: 70 }, (_, i) => i);

test.each([
  { what: 'nothing', packed: [0], text: '' },
  { what: 'a literal', packed: [3, 8, ...abc], text: 'abc' },
  { what: 'a copy that runs into itself', packed: [10, 8, ...abc, 0x0d, 3], text: 'abcabcabca' },
  { what: 'a copy with two bytes', packed: [6, 8, ...abc, 0x0a, 3, 0], text: 'abcabc' },
  { what: 'a copy with four bytes', packed: [6, 8, ...abc, 0x0b, 3, 0, 0, 0], text: 'abcabc' },
  {
    what: 'a long literal',
    packed: [70, 60 << 2, 69, ...long],
    text: String.fromCharCode(...long),
  },
])('$what is unpacked', ({ packed, text }) => {
  expect(Buffer.from(unpackSnappy(Uint8Array.from(packed))).toString('latin1')).toBe(text);
});

test.each([
  { what: 'nothing at all', packed: [] },
  { what: 'a literal that ends early', packed: [3, 8, 97] },
  { what: 'a copy from before the beginning', packed: [6, 8, ...abc, 0x0a, 4, 0] },
  { what: 'a copy of distance 0', packed: [6, 8, ...abc, 0x0a, 0, 0] },
  { what: 'a copy past the end', packed: [5, 8, ...abc, 0x0a, 3, 0] },
  { what: 'less than announced', packed: [4, 8, ...abc] },
  { what: 'a length out of proportion', packed: [0xff, 0xff, 0xff, 0xff, 0x0f] },
  { what: 'more than announced', packed: [2, 8, ...abc] },
])('$what is refused', ({ packed }) => {
  expect(() => unpackSnappy(Uint8Array.from(packed))).toThrow(RangeError);
});
