import { expect, test } from 'vitest';
import { readRepositoryFile, repositoryFiles } from './repository.ts';
import {
  classesLiveInTheirOwnFile,
  indexNamesItsExports,
  isSource,
  namesAreKebabCase,
  namesSaySomething,
  noBanners,
  noForIn,
  noLonelyTests,
  noMachinePaths,
  promisesHaveAnIssue,
  unitTestsNeverSleep,
} from './source-rules.ts';
import type { SourceRule } from './source-rules.ts';

const RULES = {
  classesLiveInTheirOwnFile,
  indexNamesItsExports,
  namesAreKebabCase,
  noBanners,
  noForIn,
  noLonelyTests,
  promisesHaveAnIssue,
  unitTestsNeverSleep,
} satisfies Record<string, SourceRule>;

// This folder holds the forbidden examples themselves.
const files = repositoryFiles().filter((path) => !path.startsWith('test/tidy/'));
const sources = files.filter(isSource).map((path) => ({ path, text: readRepositoryFile(path) }));

test.each(Object.entries(RULES))('source: %s', (_, rule) => {
  expect(sources.length).toBeGreaterThan(20);
  expect(sources.flatMap((file) => rule(file))).toEqual([]);
});

test('every file and folder: namesSaySomething', () => {
  expect(files.flatMap((path) => namesSaySomething({ path, text: '' }))).toEqual([]);
});

test('every text file: noMachinePaths', () => {
  const texts = files.filter((path) => /\.(ts|mjs|json|ya?ml|md|txt|sh)$|^\.ci\//.test(path));
  const problems = texts.flatMap((path) =>
    noMachinePaths({ path, text: readRepositoryFile(path) }),
  );
  expect(problems).toEqual([]);
});

const VIOLATIONS: readonly [name: string, rule: SourceRule, path: string, text: string][] = [
  ['a vague folder', namesSaySomething, 'packages/core/src/utils/ring.ts', ''],
  ['a vague file', namesSaySomething, 'packages/core/src/string-helpers.ts', ''],
  ['a vague test', namesSaySomething, 'packages/core/src/common.test.ts', ''],
  ['camel case', namesAreKebabCase, 'packages/core/src/memberTable.ts', ''],
  ['a FIXME', promisesHaveAnIssue, 'a.ts', '// FIXME: later'],
  ['a TODO of nobody', promisesHaveAnIssue, 'a.ts', '// TODO: later'],
  ['a banner', noBanners, 'a.ts', '// -------- helpers'],
  ['a boxed banner', noBanners, 'a.ts', '/*****************'],
  ['a home folder', noMachinePaths, 'a.md', 'see /home/somebody/notes'],
  ['a checkout', noMachinePaths, 'a.ts', "cd('/opt/memgrid')"],
  ['for in', noForIn, 'a.ts', 'for (const key in table) {'],
  ['export all', indexNamesItsExports, 'packages/core/src/index.ts', "export * from './a.ts';"],
  ['a class elsewhere', classesLiveInTheirOwnFile, 'src/suspicion.ts', 'export class Probe {}'],
  ['a lonely test', noLonelyTests, 'a.test.ts', "test.only('x', f)"],
  ['a sleeping test', unitTestsNeverSleep, 'packages/core/src/a.test.ts', 'setTimeout(f, 10)'],
];

test.each(VIOLATIONS)('%s is found', (_, rule, path, text) => {
  expect(rule({ path, text })).toHaveLength(1);
});

const ALLOWED: readonly [name: string, rule: SourceRule, path: string, text: string][] = [
  [
    'its own class',
    classesLiveInTheirOwnFile,
    'src/member-table.ts',
    'export class MemberTable {}',
  ],
  [
    'errors beside their subject',
    classesLiveInTheirOwnFile,
    'assert.ts',
    'export class InvariantError {}',
  ],
  [
    'a companion',
    classesLiveInTheirOwnFile,
    'src/ring.ts',
    'export class Ring {}\nexport class Arc {}',
  ],
  ['a TODO with an issue', promisesHaveAnIssue, 'a.ts', '// TODO(#12): later'],
  ['type-only star', indexNamesItsExports, 'src/index.ts', "export type * from './a.ts';"],
  ['a URL path', noMachinePaths, 'a.ts', 'http://127.0.0.1:7780/tmp/x'],
  ['a separator in a table', noBanners, 'a.ts', "const line = '-----';"],
];

test.each(ALLOWED)('%s is no violation', (_, rule, path, text) => {
  expect(rule({ path, text })).toEqual([]);
});
