import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDuration, showDuration } from './duration.ts';

test.each([
  ['500ms', 500],
  ['20s', 20_000],
  ['1.5s', 1_500],
  ['10m', 600_000],
  ['2h', 7_200_000],
  ['0s', 0],
])('%s is %i ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each(['', '5', '5 s', 's', '-5s', '1e3s', '5d', '5S', '.5s', '1.2345s', '9999999999s'])(
  '"%s" is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test('whole milliseconds come back as they are', () => {
  fc.assert(
    fc.property(fc.nat(999_999_999), (ms) => {
      expect(parseDuration(`${ms}ms`)).toBe(ms);
    }),
  );
});

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1_400, '1.4 s'],
  [59_960, '60.0 s'],
  [60_000, '1 m'],
  [125_000, '2 m 5 s'],
  [7_260_000, '2 h 1 m'],
])('%i ms is shown as %s', (ms, shown) => {
  expect(showDuration(ms)).toBe(shown);
});
