import { expect, test } from 'vitest';
import { growthPercent } from './heap-growth.ts';

const MIB = 1024 * 1024;

test.each([
  [8 * MIB, 200],
  [80 * MIB, 200],
  [160 * MIB, 100],
  [320 * MIB, 50],
  [4096 * MIB, 50],
])('a heap of which %i bytes are needed may grow by %i percent', (neededBytes, percent) => {
  expect(growthPercent(neededBytes)).toBe(percent);
});
