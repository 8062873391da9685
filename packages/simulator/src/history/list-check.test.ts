import { expect, test } from 'vitest';
import { HistoryError } from './history-error.ts';
import type { HistoryEvent } from './history-event.ts';
import { checkLists } from './list-check.ts';

/**
 * `a+x` process a begins to add x, `a-x` to remove it, `a=` to list, `a~` to list at one; `a.` is ok,
 * `a.xy` is ok with the answer x and y, `a!` is fail, `a?` is info.
 */
function historyOf(text: string): readonly HistoryEvent[] {
  const open = new Map<string, Pick<HistoryEvent, 'f' | 'level' | 'value'>>();
  return text.split(' ').map((word, index) => {
    const [name = '', sign = ''] = word;
    const rest = word.slice(2);
    const base = { index, process: name.charCodeAt(0), key: 's', time: index };
    const began = BEGINS[sign];
    if (began !== undefined) {
      open.set(name, began);
      return { ...base, type: 'invoke', ...began, ...(rest === '' ? {} : { value: rest }) };
    }
    const { f = 'none', level = 'strong' } = open.get(name) ?? {};
    const type = ({ '!': 'fail', '?': 'info' } as const)[sign] ?? 'ok';
    const listed = f === 'list' && type === 'ok' ? { value: [...rest] } : {};
    return { ...base, type, f, level, ...listed };
  });
}

const BEGINS: Readonly<Record<string, Pick<HistoryEvent, 'f' | 'level'>>> = {
  '+': { f: 'add', level: 'quorum' },
  '-': { f: 'remove', level: 'quorum' },
  '=': { f: 'list', level: 'strong' },
  '~': { f: 'list', level: 'one' },
};

test.each([
  ['an empty list', 'a= a.'],
  ['what was added', 'a+x a. b= b.x'],
  ['an add under way, in it', 'b= a+x b.x a.'],
  ['an add under way, not in it', 'a+x b= b. a.'],
  ['an unknown add, in it or not', 'a+x a? b= b. b= b.x b= b.x'],
  ['a removal', 'a+x a. b-x b. c= c.'],
  ['a removal under way, before and after', 'a+x a. b-x c= c.x c= c. b.'],
  ['an unknown removal that comes late', 'a+x a. b-x b? c= c. c= c.x'],
  ['a removal that began during the list', 'a+x a. c= b-x c. b.'],
  ['a replica that is behind', 'a+x a. b~ b. a-x a. b~ b.x'],
])('Y8: %s is explained', (_, text) => {
  expect(checkLists(historyOf(text))).toEqual([]);
});

test.each([
  ['an acknowledged add is missing', 'a+x a. b= b.', /x is not in the list of line 4/],
  ['what was listed is missing', 'a+x b= b.x b= b. a?', /x is not in the list of line 5/],
  ['what was listed is missing, and never acknowledged', 'a+x a? b= b.x c= c.', /is not in/],
  ['one is skipped between two pages', 'a+x a. a+y a. a+z a. b= b.xz', /y is not in the list/],
  ['a failed removal hides nothing', 'a+x a. b-x b! c= c.', /x is not in the list/],
  ['something nobody added', 'a+x a. b= b.xq', /q is in the list of line 4, and nobody/],
  ['a failed add', 'a+x a! b= b.x', /nobody had added it/],
  ['something added later', 'b= b.x a+x a.', /nobody had added it/],
  ['something twice', 'a+x a. b= b.xx', /x is in the list of line 4 twice/],
  ['something removed', 'a+x a. b-x b. c= c.x', /and was removed in line 4/],
  ['at one, something nobody added', 'a~ a.x', /nobody had added it/],
])('Y8: %s', (_, text, explanation) => {
  const [first] = checkLists(historyOf(text));
  expect(first?.explanation).toMatch(explanation);
});

test('Y1: what is no history of lists is refused with every problem', () => {
  const base = { key: 's', time: 0 };
  const events: readonly HistoryEvent[] = [
    { ...base, index: 0, process: 1, type: 'invoke', f: 'add' },
    { ...base, index: 1, process: 2, type: 'invoke', f: 'read' },
    { ...base, index: 2, process: 3, type: 'invoke', f: 'list' },
    { ...base, index: 3, process: 3, type: 'ok', f: 'list' },
  ];
  expect(() => checkLists(events)).toThrow(
    new HistoryError([
      'Line 1: add needs a "value" that is a text.',
      'Line 2: "read" is none of add, remove and list.',
      'Line 4: a list needs a "value" of texts.',
    ]),
  );
});
