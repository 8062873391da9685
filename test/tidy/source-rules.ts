import { basename } from 'node:path';

/** One file as it stands in the repository. */
export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** A rule about the source that no linter knows: the problems of one file, a sentence each. */
export type SourceRule = (file: SourceFile) => readonly string[];

/** Names that say nothing about what is inside, and so attract everything. */
const VAGUE = [
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'shared',
  'misc',
  'types',
  'manager',
  'handler',
  'impl',
  'scripts',
  'tools',
  'lib',
];

/** No folder or file is called `utils`, `helpers`, `common`, …, alone or as the last word. */
export const namesSaySomething: SourceRule = ({ path }) =>
  path
    .split('/')
    .map((part) => part.replace(/(\.test)?\.[a-z]+$/, ''))
    .filter((part) => VAGUE.includes(part) || VAGUE.includes(part.split('-').at(-1) ?? ''))
    .map((part) => `${path}: "${part}" does not say what is inside.`);

/** Source files are kebab-case, so that a name is the same on every file system. */
export const namesAreKebabCase: SourceRule = ({ path }) =>
  /^[a-z0-9-]+(\.test|\.config)?\.(ts|mjs)$/.test(basename(path)) || !isSource(path)
    ? []
    : [`${path}: the file name is not kebab-case.`];

/** `FIXME` never lands, and `TODO` names the issue that will end it: `TODO(#12)`. */
export const promisesHaveAnIssue: SourceRule = ({ path, text }) =>
  linesOf(text).flatMap(({ line, number }) => {
    if (/\bFIXME\b|\bXXX\b/.test(line)) return [`${path}:${number}: FIXME must not land.`];
    return /\bTODO\b(?!\(#\d+\))/.test(line) ? [`${path}:${number}: a TODO without an issue.`] : [];
  });

/** A file that needs banners to find one's way is two files. */
export const noBanners: SourceRule = ({ path, text }) =>
  linesOf(text)
    .filter(({ line }) => /^\s*(\/\/|\/?\*+|#)\s*[-=*#~_]{4,}/.test(line))
    .map(({ number }) => `${path}:${number}: a banner; split the file instead.`);

/** Nothing depends on where somebody's checkout or home happens to be. */
export const noMachinePaths: SourceRule = ({ path, text }) =>
  linesOf(text)
    .filter(({ line }) => MACHINE_PATH.test(line))
    .map(({ number }) => `${path}:${number}: an absolute path of one machine.`);

const MACHINE_PATH = /(?<![\w.}-])\/(work|home|root|Users|mnt|opt|tmp|private)\/[\w.-]+/;

/** `for (… in …)` walks prototypes and an order that nobody promised. */
export const noForIn: SourceRule = ({ path, text }) =>
  linesOf(text)
    .filter(({ line }) => /\bfor\s*\((const|let|var)\s+\w+\s+in\s/.test(line))
    .map(({ number }) => `${path}:${number}: use Object.keys, Object.entries or for…of.`);

/** Public surfaces are lists of names, so that a new export is a decision. */
export const indexNamesItsExports: SourceRule = ({ path, text }) =>
  basename(path) !== 'index.ts'
    ? []
    : linesOf(text)
        // `export type *` cannot leak an implementation.
        .filter(({ line }) => /^export \*/.test(line))
        .map(({ number }) => `${path}:${number}: name what is exported.`);

/**
 * A file that exports a class is named after its main export: `suspicion.ts` has `Suspicion`, or,
 * when the class only serves it, `SUSPICION` or `suspicion`. Small companions may live beside it.
 */
export const classesLiveInTheirOwnFile: SourceRule = ({ path, text }) => {
  const exported = [
    ...text.matchAll(/^export (?:abstract |async )?(?:class|const|function\*?) (\w+)/gm),
  ].map(([, name = '']) => name);
  const classes = [...text.matchAll(/^export (?:abstract )?class (\w+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => !name.endsWith('Error'));
  const wanted = pascalCase(basename(path, '.ts')).toLowerCase();
  const named = exported.some((name) => name.replaceAll('_', '').toLowerCase() === wanted);
  if (classes.length === 0 || named) return [];
  return [`${path}: exports ${classes.join(' and ')}, and nothing that is called like the file.`];
};

/** Deliberate tests for a while (`.only`) and tests that are switched off do not land. */
export const noLonelyTests: SourceRule = ({ path, text }) =>
  linesOf(text)
    .filter(({ line }) => /\b(test|describe|it)\.(only|skip|todo)\(/.test(line))
    .map(({ number }) => `${path}:${number}: a test is switched off, or switches others off.`);

/** Unit tests take the time they are told: only `test/cluster` may wait for real time. */
export const unitTestsNeverSleep: SourceRule = ({ path, text }) =>
  !path.startsWith('packages/') || !path.endsWith('.test.ts')
    ? []
    : linesOf(text)
        .filter(({ line }) =>
          /\bsetTimeout\(|timers\/promises|Date\.now\(|performance\.now\(/.test(line),
        )
        .map(({ number }) => `${path}:${number}: a unit test waits for or reads real time.`);

export function isSource(path: string): boolean {
  return /\.(ts|mjs)$/.test(path) && !path.endsWith('.d.ts');
}

function pascalCase(kebab: string): string {
  return kebab.replace(/(^|-)([a-z0-9])/g, (_, __, letter: string) => letter.toUpperCase());
}

function linesOf(text: string): readonly { line: string; number: number }[] {
  return text.split('\n').map((line, index) => ({ line, number: index + 1 }));
}
