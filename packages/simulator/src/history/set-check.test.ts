import { expect, test } from 'vitest';
import type { HistoryEvent, HistoryEventType, HistoryValue } from './history-event.ts';
import { checkSet } from './set-check.ts';

type Line = readonly [process: number, type: HistoryEventType, f: string, value?: HistoryValue];

function historyOf(...lines: readonly Line[]): readonly HistoryEvent[] {
  return lines.map(([process, type, f, value], index) => ({
    ...{ index, process, type, f, time: index },
    ...(value === undefined ? {} : { value }),
  }));
}

const add = (process: number, value: number, end: HistoryEventType): readonly Line[] => [
  [process, 'invoke', 'add', value],
  [process, end, 'add'],
];
const read = (value: readonly number[]): readonly Line[] => [
  [90, 'invoke', 'read'],
  [90, 'ok', 'read', value],
];

test.each([
  ['all is there', [...add(0, 1, 'ok'), ...add(1, 2, 'ok'), ...read([2, 1])]],
  ['an unknown add that happened', [...add(0, 1, 'info'), ...read([1])]],
  ['an unknown add that did not', [...add(0, 1, 'info'), ...read([])]],
  ['a failed add', [...add(0, 1, 'fail'), ...read([])]],
  ['a failed add that was repeated', [...add(0, 1, 'fail'), ...add(0, 1, 'ok'), ...read([1])]],
  ['an earlier read lacks what came later', [...read([]), ...add(0, 1, 'ok'), ...read([1])]],
] as const)('Y6: valid: %s', (_, lines) => {
  expect(checkSet(historyOf(...lines)).kind).toBe('valid');
});

test.each([
  ['lost', [...add(0, 1, 'ok'), ...read([])], /^Key "": 1, acknowledged in line 2, is not in/],
  ['lost after it was seen', [...add(0, 1, 'ok'), ...read([1]), ...read([])], /is not in/],
  ['never added', [...add(0, 1, 'ok'), ...read([1, 2])], /line 4 has 2, which nobody had added/],
  ['failed and there', [...add(0, 1, 'fail'), ...read([1])], /which nobody had added/],
  ['there before it was added', [...read([1]), ...add(0, 1, 'ok'), ...read([1])], /line 2 has 1/],
  ['twice', [...add(0, 1, 'ok'), ...read([1, 1])], /has 1 twice/],
] as const)('Y6: not valid: %s', (_, lines, problem) => {
  const verdict = checkSet(historyOf(...lines));
  expect(verdict.kind).toBe('violation');
  expect(verdict.kind === 'violation' ? verdict.problems : []).toEqual([
    expect.stringMatching(problem),
  ]);
});

test('Y6: without a read after the last acknowledged add, nothing is claimed', () => {
  const late = checkSet(historyOf(...add(0, 1, 'ok'), ...read([1]), ...add(0, 2, 'ok')));
  expect(late).toMatchObject({ kind: 'unknown', unreadKeys: [''] });
  expect(checkSet(historyOf(...add(0, 1, 'ok'))).kind).toBe('unknown');
});

test('Y6: what was lost, recovered and unexpected is counted', () => {
  const lines = [...add(0, 1, 'ok'), ...add(1, 2, 'ok'), ...add(2, 3, 'info'), ...read([2, 3, 4])];
  expect(checkSet(historyOf(...lines)).counts).toEqual({
    acknowledged: 2,
    recovered: 1,
    lost: 1,
    unexpected: 1,
  });
});

test('Y1: what is no operation of a set is named', () => {
  const lines: readonly Line[] = [
    [0, 'invoke', 'write', 1],
    [1, 'invoke', 'add'],
    [2, 'invoke', 'read'],
    [2, 'ok', 'read', 7],
  ];
  expect(() => checkSet(historyOf(...lines))).toThrow(
    'Line 1: "write" is none of add and read. Line 2: an add needs a "value" that is a text or a ' +
      'number. Line 4: a read of a set needs a "value" that lists texts and numbers.',
  );
});
