import { expect, test } from 'vitest';
import { readRepositoryFile, repositoryFiles } from './repository.ts';
import { citedRules, disagreements, statedRules } from './rule-ids.ts';

const DESIGN_HEADINGS = [
  'Purpose',
  'Not here',
  'States',
  'Inputs and effects',
  'Rules',
  'Limits',
  'Why this way',
];

const designs = repositoryFiles().filter((name) => name.endsWith('DESIGN.md'));
// The examples in this very folder are no tests of any rule.
const tests = repositoryFiles().filter(
  (name) => name.endsWith('.test.ts') && !name.startsWith('test/tidy/'),
);

test('every rule of every DESIGN.md is cited by a test, and every cited rule is stated', () => {
  const stated = designs.flatMap((name) => statedRules(name, readRepositoryFile(name)));
  const cited = tests.flatMap((name) => citedRules(name, readRepositoryFile(name)));
  expect(stated.length).toBeGreaterThan(0);
  expect(disagreements(stated, cited)).toEqual([]);
});

test.each(designs)('%s has the headings that all of them have', (name) => {
  const headings = [...readRepositoryFile(name).matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  expect(headings).toEqual(DESIGN_HEADINGS);
});

test('a rule without a test, a test without a rule and a rule stated twice are found', () => {
  const stated = [
    ...statedRules('a/DESIGN.md', '### X1: Held.\n\n### X2: Forgotten.\n'),
    ...statedRules('b/DESIGN.md', '### X1: Again.\n'),
  ];
  const cited = citedRules('a.test.ts', "test('X1: held', () => {});\ntest('X9: nowhere', f);\n");
  expect(disagreements(stated, cited)).toEqual([
    'X1 is stated in a/DESIGN.md and in b/DESIGN.md.',
    'X2 of a/DESIGN.md is cited by no test title.',
    'X9, cited in a.test.ts, is stated by no DESIGN.md.',
  ]);
});

test.each([
  { source: "test('M1: plain', f)", ids: ['M1'] },
  { source: 'test("M1: double", f)', ids: ['M1'] },
  { source: "test.each([1])('M2: table %i', f)", ids: ['M2'] },
  { source: "test.each([\n  { a: 1 },\n])(\n  'M3: wrapped', f)", ids: ['M3'] },
  { source: 'test(`M4: template`, f)', ids: ['M4'] },
  { source: "test('M5, M6: both', f)", ids: ['M5', 'M6'] },
  { source: "test('M7 and R8: both', f)", ids: ['M7', 'R8'] },
  { source: '// See DESIGN.md, M9: nothing is tested here', ids: [] },
  { source: "test('about M9 in passing', f)", ids: [] },
])('titles in "$source" cite $ids', ({ source, ids }) => {
  expect(citedRules('x.test.ts', source).map((rule) => rule.id)).toEqual(ids);
});
