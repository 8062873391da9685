import { expect, test } from 'vitest';
import { recordedTerminal } from '../testing/recorded-terminal.ts';
import { counted, ProgressBar } from './progress-bar.ts';

function drawn(options: { total?: number; interactive?: boolean; shown?: boolean }): {
  readonly bar: ProgressBar;
  readonly at: (ms: number) => void;
  readonly lines: () => readonly string[];
} {
  const terminal = recordedTerminal({ NO_COLOR: '1' }, options.interactive ?? true);
  let now = 0;
  const bar = new ProgressBar(terminal, {
    label: 'importing',
    unit: 'lines',
    total: options.total,
    shown: options.shown ?? true,
    nowMs: () => now,
  });
  return {
    bar,
    at: (ms) => {
      now = ms;
    },
    lines: () => terminal.err().split('\r').slice(1),
  };
}

test('a bar shows the share, the rate and what is left', () => {
  const { bar, at, lines } = drawn({ total: 3_000 });
  at(2_000);
  bar.update(1_000, '2 failed');
  expect(lines()).toEqual([
    'importing  ███░░░░░░░   33 %  1,000 of 3,000 lines  500/s  4.0 s left  2 failed',
  ]);
});

test('without a total there is a count', () => {
  const { bar, lines } = drawn({});
  bar.update(12);
  expect(lines()).toEqual(['importing  12 lines']);
});

test('it is drawn ten times a second at most, and cleared at the end', () => {
  const { bar, at, lines } = drawn({});
  for (let ms = 0; ms < 1_000; ms++) {
    at(ms);
    bar.update(ms);
  }
  bar.end();
  const [cleared = '', last] = lines().slice(-2);
  expect(lines()).toHaveLength(12);
  expect(cleared.trim()).toBe('');
  expect(last).toBe('');
});

test.each([
  { interactive: false, shown: true },
  { interactive: true, shown: false },
])('nothing is drawn with $interactive and $shown', (options) => {
  const { bar, lines } = drawn(options);
  bar.update(5);
  bar.end();
  expect(lines()).toEqual([]);
});

test.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1,000'],
  [1_234_567, '1,234,567'],
])('%i is written %s', (count, text) => {
  expect(counted(count)).toBe(text);
});
