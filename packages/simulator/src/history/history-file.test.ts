import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HistoryError } from './history-error.ts';
import { formatHistory, formatHistoryEvent, parseHistory } from './history-file.ts';
import type { HistoryEvent, HistoryValue } from './history-event.ts';
import { operationsOf } from './history-pairing.ts';

const GOOD = [
  '{"index":0,"process":3,"type":"invoke","f":"write","key":"k7","value":1,"time":5,"node":"n2","level":"quorum","token":"t"}',
  '{"index":1,"process":4,"type":"invoke","f":"read","key":"k7","time":6}',
  '{"index":2,"process":3,"type":"ok","f":"write","key":"k7","time":6,"version":[7,1]}',
  '{"index":3,"process":4,"type":"info","f":"read","key":"k7","time":9}',
  '{"index":4,"process":5,"type":"invoke","f":"delete","key":"k7","time":9}',
];

/** The good history with one line replaced. */
function withLine(number: number, line: string): string {
  return GOOD.map((good, at) => (at + 1 === number ? line : good)).join('\n');
}

function problemsOf(text: string): readonly string[] {
  try {
    parseHistory(text);
  } catch (error) {
    if (error instanceof HistoryError) return error.problems;
    throw error;
  }
  return [];
}

test('Y1: a sound history is read, and written as it was', () => {
  const text = `${GOOD.join('\n')}\n`;
  expect(formatHistory(parseHistory(text))).toBe(text);
  expect(parseHistory('')).toEqual([]);
});

test('Y1, Y3: invocations are paired with their ends; without one the outcome is unknown', () => {
  const found = operationsOf(parseHistory(GOOD.join('\n')));
  expect(
    found.map(({ invoke, completion, outcome }) => [invoke.f, completion?.index, outcome]),
  ).toEqual([
    ['write', 2, 'ok'],
    ['read', 3, 'unknown'],
    ['delete', undefined, 'unknown'],
  ]);
});

test.each([
  ['no JSON', 2, '{"index":1,', /^Line 2 is not JSON: .+\.$/],
  ['no object', 2, '[]', 'Line 2 must be an object.'],
  ['an empty line', 2, '', /^Line 2 is not JSON/],
  [
    'a missing field',
    1,
    '{"index":0,"process":3,"type":"invoke","f":"read"}',
    'Line 1: "time" is missing.',
  ],
  [
    'a misspelt field',
    2,
    '{"index":1,"process":4,"type":"invoke","f":"read","key":"k7","time":6,"vlaue":1}',
    'Line 2: "vlaue" is not part of a history.',
  ],
  [
    'a prototype key',
    2,
    '{"index":1,"process":4,"type":"invoke","f":"read","key":"k7","time":6,"__proto__":1}',
    'Line 2: "__proto__" is not part of a history.',
  ],
  [
    'a wrong type',
    2,
    '{"index":1,"process":4,"type":"done","f":"read","key":"k7","time":6}',
    'Line 2: "type" ("done") must be invoke, ok, fail or info.',
  ],
  [
    'a fraction',
    2,
    '{"index":1,"process":4.5,"type":"invoke","f":"read","key":"k7","time":6}',
    'Line 2: "process" (4.5) must be a whole number of at least 0.',
  ],
  [
    'a wrong version',
    3,
    '{"index":2,"process":3,"type":"ok","f":"write","key":"k7","time":6,"version":"7"}',
    'Line 3: "version" ("7") must be a list of whole numbers of at least 0.',
  ],
  [
    'an index out of order',
    2,
    '{"index":7,"process":4,"type":"invoke","f":"read","key":"k7","time":6}',
    'Line 2: "index" is 7 and must be 1.',
  ],
  [
    'a clock that goes back',
    2,
    '{"index":1,"process":4,"type":"invoke","f":"read","key":"k7","time":2}',
    'Line 2: "time" goes back from 5 to 2.',
  ],
  [
    'two things at once',
    2,
    '{"index":1,"process":3,"type":"invoke","f":"read","key":"k7","time":6}',
    'Line 2: process 3 is still at its write of line 1.',
  ],
  [
    'another end',
    3,
    '{"index":2,"process":3,"type":"ok","f":"write","key":"k8","time":6}',
    'Line 3: ends write of "k8", but process 3 began write of "k7".',
  ],
  [
    'a life after info',
    5,
    '{"index":4,"process":4,"type":"invoke","f":"read","key":"k7","time":9}',
    'Line 5: process 4 is used again after its info in line 4.',
  ],
  [
    'an end of nothing',
    5,
    '{"index":4,"process":9,"type":"ok","f":"read","key":"k7","time":9}',
    'Line 5: process 9 has nothing under way.',
  ],
] as const)('Y1: refused: %s', (_, number, line, problem) => {
  const first = problemsOf(withLine(number, line))[0];
  if (typeof problem === 'string') expect(first).toBe(problem);
  else expect(first).toMatch(problem);
});

test('Y1: all problems are named, and the message stays short', () => {
  const problems = problemsOf('{}\n'.repeat(30));
  expect(problems).toHaveLength(150);
  expect(problems.at(-1)).toMatch(/^Line 30: /);
  expect(new HistoryError(problems).message).toMatch(/ And 140 more\.$/);
});

test('Y1: whatever is written is read back', () => {
  const optional = fc.record(
    {
      key: fc.string(),
      value: fc.jsonValue() as fc.Arbitrary<HistoryValue>,
      node: fc.string(),
      token: fc.string(),
      version: fc.array(fc.nat()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(optional, fc.string({ minLength: 1 }), fc.nat(), (fields, f, time) => {
      const event: HistoryEvent = { ...fields, index: 0, process: 0, type: 'invoke', f, time };
      const line = formatHistoryEvent(event);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(formatHistory(parseHistory(line))).toBe(line);
    }),
  );
});
