import { expect, test } from 'vitest';
import { recordedTerminal } from '../testing/recorded-terminal.ts';
import { paintFor } from './paint.ts';
import { facts, table } from './table.ts';

const COLUMNS = [{ title: 'NODE' }, { title: 'TERM', align: 'right' as const }, { title: 'ZONE' }];

test('columns are as wide as their content, and an empty cell can be counted', () => {
  const text = table(COLUMNS, [
    ['3f2a91c0*', '2', 'east'],
    ['7b', '12', ''],
  ]);
  expect(text).toBe(
    ['NODE       TERM  ZONE', '3f2a91c0*     2  east', '7b           12  -'].join('\n'),
  );
});

test.each([
  { widthMax: Infinity, says: 'NODE  ADDRESS         HTTP            TERM' },
  { widthMax: 43, says: 'NODE  ADDRESS         HTTP            TERM' },
  { widthMax: 41, says: 'NODE  ADDRESS         TERM' },
  { widthMax: 20, says: 'NODE  TERM' },
  { widthMax: 3, says: 'NODE  TERM' },
])('in $widthMax columns: spare columns go, the last first', ({ widthMax, says }) => {
  const columns = [
    { title: 'NODE' },
    { title: 'ADDRESS', spare: true },
    { title: 'HTTP', spare: true },
    { title: 'TERM', align: 'right' as const },
  ];
  const rows = [['7b', '127.0.0.1:7700', '127.0.0.1:7780', '2']];
  expect(table(columns, rows, widthMax).split('\n')[0]).toBe(says);
});

test('colours take no width', () => {
  const paint = paintFor({ write: () => undefined, isTTY: true }, recordedTerminal());
  const coloured = table(COLUMNS, [[paint('red', 'dead'), '1', 'x']]);
  const plain = table(COLUMNS, [['dead', '1', 'x']]);
  expect(coloured).not.toBe(plain);
  expect(coloured.replaceAll(/\u001B\[\d+m/g, '')).toBe(plain);
});

test.each([
  { name: 'piped', isTTY: false, environment: {}, painted: false },
  { name: 'a terminal', isTTY: true, environment: {}, painted: true },
  { name: 'NO_COLOR', isTTY: true, environment: { NO_COLOR: '1' }, painted: false },
  { name: 'an empty NO_COLOR', isTTY: true, environment: { NO_COLOR: '' }, painted: true },
  { name: 'a dumb terminal', isTTY: true, environment: { TERM: 'dumb' }, painted: false },
])('$name: painted is $painted', ({ isTTY, environment, painted }) => {
  const paint = paintFor({ write: () => undefined, isTTY }, recordedTerminal(environment));
  expect(paint('red', 'x') !== 'x').toBe(painted);
});

test('facts stand under each other', () => {
  expect(
    facts([
      ['a', '1'],
      ['long', '2'],
    ]),
  ).toBe('a     1\nlong  2');
});
