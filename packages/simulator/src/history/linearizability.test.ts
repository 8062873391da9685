import { expect, test } from 'vitest';
import { HistoryError } from './history-error.ts';
import type { HistoryEvent, HistoryValue } from './history-event.ts';
import { checkRegisters } from './linearizability.ts';

/**
 * `a+w1` process a begins to write 1, `a+r` to read, `a+c1>2` a cas, `a+d` a delete, `a+x:w1` on key
 * x; `a.` is ok, `a.1` is ok with the answer 1 and `a.-` with none, `a!` is fail, `a?` is info.
 */
function historyOf(text: string): readonly HistoryEvent[] {
  const open = new Map<string, Pick<HistoryEvent, 'f' | 'key' | 'value'>>();
  return text.split(' ').map((word, index) => {
    const name = word.charAt(0);
    const rest = word.slice(2);
    const base = { index, process: name.charCodeAt(0) - 97, time: index };
    if (word.charAt(1) === '+') {
      const asked = askedOf(rest);
      open.set(name, asked);
      return { ...base, type: 'invoke', ...asked };
    }
    const { f, key = 'k' } = open.get(name) ?? { f: 'none' };
    const type = ({ '.': 'ok', '!': 'fail', '?': 'info' } as const)[word.charAt(1)] ?? 'ok';
    const value = rest === '' ? {} : { value: valueOf(rest) };
    return { ...base, type, f, key, ...value };
  });
}

function askedOf(text: string): Pick<HistoryEvent, 'f' | 'key' | 'value'> {
  const [key, action] = text.includes(':') ? text.split(':') : ['k', text];
  const given = (action ?? '').slice(1);
  const base = { key: key ?? 'k' };
  switch (action?.charAt(0)) {
    case 'r':
      return { ...base, f: 'read' };
    case 'd':
      return { ...base, f: 'delete' };
    case 'c':
      return { ...base, f: 'cas', value: given.split('>').map(valueOf) };
    default:
      return { ...base, f: 'write', value: valueOf(given) };
  }
}

function valueOf(text: string): HistoryValue {
  return text === '-' ? null : Number(text);
}

const VALID = [
  ['an empty register', 'a+r a.-'],
  ['a write and its read', 'a+w1 a. b+r b.1'],
  ['the later of two writes', 'a+w1 a. a+w2 a. b+r b.2'],
  ['a read during the write sees the new', 'a+w1 b+r b.1 a.'],
  ['a read during the write sees the old', 'a+w1 b+r b.- a.'],
  ['two reads during a write, old then new', 'a+w1 b+r b.- b+r b.1 a.'],
  ['two writes at once, either last', 'a+w1 b+w2 a. b. c+r c.1'],
  ['two writes at once, the other last', 'a+w1 b+w2 a. b. c+r c.2'],
  ['a read that spans two writes sees nothing', 'c+r a+w1 a. a+w2 a. c.-'],
  ['a read that spans two writes sees the first', 'c+r a+w1 a. a+w2 a. c.1'],
  ['reads at once that disagree', 'a+w1 b+r c+r b.1 c.- a.'],
  ['a cas that matches', 'a+w1 a. b+c1>2 b. c+r c.2'],
  ['a cas that creates', 'a+c->1 a. b+r b.1'],
  ['a cas that removes', 'a+w1 a. a+c1>- a. b+r b.-'],
  ['a cas to the same', 'a+w1 a. a+c1>1 a. b+r b.1'],
  ['a failed cas changes nothing', 'a+w1 a. b+c2>3 b! c+r c.1'],
  ['a cas that fails although it would match', 'a+w1 a. b+c1>3 b! c+r c.1'],
  ['a chain of cas at once, backwards', 'a+c2>3 b+c1>2 c+c->1 a. b. c. a+r a.3'],
  ['a delete', 'a+w1 a. a+d a. b+r b.-'],
  ['a delete of nothing', 'a+d a. b+r b.-'],
  ['a delete and a write at once', 'a+w1 a. a+d b+w2 a. b. c+r c.2'],
  ['a failed write is never seen', 'a+w1 a. b+w2 b! c+r c.1'],
  ['a failed delete', 'a+w1 a. b+d b! c+r c.1'],
  ['an unknown write that happened', 'a+w1 a? b+r b.1'],
  ['an unknown write that did not', 'a+w1 a? b+r b.-'],
  ['an unknown write that happens late', 'a+w1 a? b+r b.- b+w2 b. b+r b.2 b+r b.1'],
  ['an unknown write without an end', 'a+w1 b+r b.- b+r b.1'],
  ['an unknown cas that happened', 'a+w1 a. b+c1>2 b? c+r c.1 c+r c.2'],
  ['an unknown cas that cannot have happened', 'a+w1 a. b+c7>2 b? c+r c.1'],
  ['an unknown cas that a later write enables', 'b+c7>2 b? a+w7 a. c+r c.2'],
  ['an unknown delete, late', 'a+w1 a. b+d b? c+r c.1 c+r c.-'],
  ['two unknown deletes, both', 'a+w1 a. b+d b? c+d c? e+r e.- e+w2 e. e+r e.-'],
  ['unknown cas in a chain', 'a+c->1 a? b+c1>2 b? c+r c.2'],
  ['a read of unknown outcome says nothing', 'a+r a? b+w1 b. c+r c.1'],
  ['keys do not disturb each other', 'a+x:w1 a. b+y:r b.- b+x:r b.1'],
  ['a value that is written twice', 'a+w1 a. a+w2 a. a+w1 a. b+r b.1'],
] as const;

const INVALID = [
  ['a value from nowhere', 'a+r a.1'],
  ['a lost write', 'a+w1 a. b+r b.-'],
  ['a stale read', 'a+w1 a. a+w2 a. b+r b.1'],
  ['a read of the future', 'b+r b.1 a+w1 a.'],
  ['new, then old, during a write', 'a+w1 b+r b.1 b+r b.- a.'],
  ['new, then old, by two readers', 'a+w1 b+r b.1 c+r c.- a.'],
  ['two orders of two writes', 'a+w1 b+w2 a. b. c+r c.1 c+r c.2 c+r c.1'],
  ['two readers disagree after both writes', 'a+w1 b+w2 a. b. c+r c.1 e+r e.2 c+r c.1'],
  ['a read that begins after the second write', 'a+w1 a. a+w2 c+r a. c.1 c+r c.1'],
  ['a value that went through and came back', 'a+w1 a. b+r c+w2 c. b.1 b+r b.2 b+r b.1'],
  ['a cas on the wrong value', 'a+w1 a. b+c2>3 b.'],
  ['a cas on nothing', 'a+c1>2 a.'],
  ['a cas that creates twice', 'a+c->1 a. b+c->2 b.'],
  ['two cas from the same value at once', 'a+w1 a. a+c1>2 b+c1>3 a. b.'],
  ['a cas whose effect is lost', 'a+w1 a. a+c1>2 a. b+r b.1'],
  ['a cas after a delete', 'a+w1 a. a+d a. a+c1>2 a.'],
  ['a cas to nothing that left it', 'a+w1 a. a+c1>- a. b+r b.1'],
  ['a cycle of cas', 'a+c1>2 b+c2>1 a. b.'],
  ['a resurrected delete', 'a+w1 a. a+d a. b+r b.1'],
  ['a resurrected delete, after it was gone', 'a+w1 a. b+d c+r c.- c+r c.1 b.'],
  ['a delete that took a later write', 'a+w1 a. a+d a. a+w2 a. b+r b.-'],
  ['a failed write that is seen', 'a+w1 a! b+r b.1'],
  ['a failed cas that is seen', 'a+w1 a. a+c1>2 a! b+r b.2'],
  ['a failed delete that is seen', 'a+w1 a. a+d a! b+r b.-'],
  ['an unknown write, there and gone', 'a+w1 a? b+r b.1 b+r b.-'],
  ['an unknown write that happened twice', 'a+w1 a? b+r b.1 b+w2 b. b+r b.2 b+r b.1'],
  ['an unknown write seen before it began', 'b+r b.1 a+w1 a?'],
  ['an unknown cas that cannot match', 'a+w1 a. b+c7>2 b? c+r c.2'],
  [
    'an unknown cas that happened twice',
    'a+w1 a. b+c1>2 b? c+r c.2 c+w1 c. c+r c.2 c+w1 c. c+r c.2',
  ],
  ['one unknown delete, used twice', 'a+w1 a. b+d b? c+r c.- c+w2 c. c+r c.-'],
  ['an unknown cas after its value is gone', 'a+w1 a. a+w2 a. b+c1>3 b? c+r c.3'],
  ['an unknown chain that lacks a link', 'a+c->1 a? b+c2>3 b? c+r c.3'],
  ['an unknown write does not excuse another', 'a+w1 a? b+w2 b. c+r c.3'],
  ['one key of two', 'a+x:w1 a. b+y:w2 b. c+x:r c.1 c+y:r c.1'],
  ['a write without an end, there and gone', 'a+w1 b+r b.1 b+r b.-'],
] as const;

test('there are enough histories by hand', () => {
  expect(VALID.length).toBeGreaterThanOrEqual(30);
  expect(INVALID.length).toBeGreaterThanOrEqual(30);
});

test.each(VALID)('Y2, Y3: valid: %s', (_, text) => {
  expect(checkRegisters(historyOf(text)).kind).toBe('valid');
});

test.each(INVALID)('Y2, Y3: not valid: %s', (_, text) => {
  expect(checkRegisters(historyOf(text)).kind).toBe('violation');
});

test('Y5: a violation shows the few operations that matter, and what was possible', () => {
  const noise = Array.from({ length: 40 }, (_, at) => `f+w${at + 100} f. g+r g.${at + 100}`);
  const text = `${noise.join(' ')} a+w1 a. b+r b.1 a+w2 a. b+r b.1 ${noise.join(' ')}`;
  const verdict = checkRegisters(historyOf(text));
  expect(verdict).toMatchObject({ violations: [{ key: 'k' }], unknownKeys: [] });
  const explanation = verdict.kind === 'violation' ? verdict.violations[0]?.explanation : '';
  expect(explanation).toBe(
    [
      'No order explains key "k".',
      'By line 168, where process 1 read 1, it can only have held 2.',
      'These operations alone contradict each other:',
      '  lines 161 to 162: process 0 wrote 1',
      '  lines 165 to 166: process 0 wrote 2',
      '  lines 167 to 168: process 1 read 1',
    ].join('\n'),
  );
});

test('Y4: a spent budget is said and not guessed', () => {
  const valid = historyOf('a+w1 a. b+r b.1');
  expect(checkRegisters(valid, { stepsPerKeyMax: 2 })).toEqual({
    kind: 'unknown',
    steps: 2,
    unknownKeys: ['k'],
  });
  expect(checkRegisters(valid, { stepsPerKeyMax: 100 }).kind).toBe('valid');
});

test('Y4: a violation elsewhere does not hide what was given up', () => {
  const long = Array.from({ length: 9 }, (_, at) => `a+x:w${at} a.`).join(' ');
  const verdict = checkRegisters(historyOf(`${long} b+y:r b.7`), { stepsPerKeyMax: 3 });
  expect(verdict).toMatchObject({
    kind: 'violation',
    violations: [{ key: 'y' }],
    unknownKeys: ['x'],
  });
});

test('Y1: what is no operation of a register is named, all of it', () => {
  const events: readonly HistoryEvent[] = [
    { index: 0, process: 0, type: 'invoke', f: 'append', key: 'k', value: 1, time: 0 },
    { index: 1, process: 1, type: 'invoke', f: 'write', key: 'k', value: null, time: 0 },
    { index: 2, process: 2, type: 'invoke', f: 'cas', key: 'k', value: [1], time: 0 },
    { index: 3, process: 3, type: 'invoke', f: 'read', time: 0 },
    { index: 4, process: 3, type: 'ok', f: 'read', time: 0 },
  ];
  expect(() => checkRegisters(events)).toThrow(
    new HistoryError([
      'Line 1: "append" is none of read, write, cas, patch and delete.',
      'Line 2: a write needs a "value" other than null; use delete.',
      'Line 3: a cas needs a "value" of two: [expected, new].',
      'Line 4: a read needs a "key".',
      'Line 5: a read that is ok needs a "value".',
    ]),
  );
});

test('objects are the same value whatever the order of their fields', () => {
  const events: readonly HistoryEvent[] = [
    { index: 0, process: 0, type: 'invoke', f: 'write', key: 'k', value: { a: 1, b: 2 }, time: 0 },
    { index: 1, process: 0, type: 'ok', f: 'write', key: 'k', time: 0 },
    { index: 2, process: 0, type: 'invoke', f: 'read', key: 'k', time: 0 },
    { index: 3, process: 0, type: 'ok', f: 'read', key: 'k', value: { b: 2, a: 1 }, time: 0 },
  ];
  expect(checkRegisters(events).kind).toBe('valid');
});

test('Y4: twenty writes at the same time are decided, either way', () => {
  const names = Array.from('abcdefghijklmnopqrst');
  const writes = [...names.map((name, at) => `${name}+w${at}`), ...names.map((name) => `${name}.`)];
  const text = `${writes.join(' ')} a+r a.3`;
  expect(checkRegisters(historyOf(text), { stepsPerKeyMax: 1_000 }).kind).toBe('valid');
  const twice = historyOf(`${text} a+r a.4`);
  expect(checkRegisters(twice, { stepsPerKeyMax: 1_000 }).kind).toBe('violation');
});

/** `invoke` and `ok` of each, one after the other, by a process of its own. */
function inTurn(
  ...steps: readonly (readonly [f: string, value: HistoryValue])[]
): readonly HistoryEvent[] {
  return steps.flatMap(([f, value], process) => {
    const base = { process, f, key: 'k', time: 0 };
    const asked = f === 'read' ? {} : { value };
    const answered = f === 'read' ? { value } : {};
    return [
      { ...base, ...asked, type: 'invoke', index: 2 * process } as const,
      { ...base, ...answered, type: 'ok', index: 2 * process + 1 } as const,
    ];
  });
}

test.each([
  ['replaces what it names and leaves the rest', 'valid', { a: 1, b: 3 }],
  ['is not lost', 'violation', { a: 1, b: 2 }],
  ['brings nothing else with it', 'violation', { b: 3 }],
] as const)('Y2: a patch %s', (_, kind, read) => {
  const events = inTurn(['write', { a: 1, b: 2 }], ['patch', { b: 3 }], ['read', read]);
  expect(checkRegisters(events).kind).toBe(kind);
});

test('Y2: a patch of nothing cannot have taken effect', () => {
  expect(checkRegisters(inTurn(['patch', { a: 1 }])).kind).toBe('violation');
});

test('Y2: a patch that found nothing has seen that there was nothing', () => {
  const patched = (before: readonly HistoryEvent[]): string => {
    const base = { process: 9, f: 'patch', key: 'k', time: 0 };
    const index = before.length;
    const invoke = { ...base, type: 'invoke', index, value: { a: 1 } } as const;
    const ok = { ...base, type: 'ok', index: index + 1, value: null } as const;
    return checkRegisters([...before, invoke, ok]).kind;
  };
  expect(patched([])).toBe('valid');
  expect(patched(inTurn(['write', { a: 2 }]))).toBe('violation');
});

test.each([[{}], [{ a: null }], [{ a: { b: 1 } }], [[1]], [7]])('Y1: %j is no patch', (value) => {
  expect(() => checkRegisters(inTurn(['patch', value]))).toThrow(/a patch needs a "value"/);
});
