import { expect, test } from 'vitest';
import { readingAid, type MeasuredHow } from './reading-aid.ts';

const HOW: MeasuredHow = {
  plans: [{ workload: 'set', loop: { kind: 'closed', inFlight: 256 } }],
  dataset: { count: 10_000, bytesMean: 205 },
  rounds: 3,
  seconds: 5,
  warmupSeconds: 1,
  sync: 'disk',
  read: 'one',
};

test('who reads a table is told what was asked for, and in which units', () => {
  const said = readingAid(HOW).join('\n');
  expect(said).toContain('3 rounds of 5 s, medians and range, each after 1 s of warm-up');
  expect(said).toContain('10,000 entries of about 205 bytes');
  expect(said).toContain('acknowledged when a majority has it on disk; reads at "one"');
  expect(said).toContain('Latencies in milliseconds');
});

test('latencies of a closed loop and of an open one are not the same thing, and it says so', () => {
  expect(readingAid(HOW).at(-1)).toContain('--rate <n> shows those of a user');
  const plans = [{ workload: 'mix', loop: { kind: 'open', rate: 500 } }] as const;
  const open = readingAid({ ...HOW, plans, rounds: 1 });
  expect(open[0]).toMatch(/^5 s, each after/);
  expect(open.at(-1)).toContain('at which its call was due');
});
