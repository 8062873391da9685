import { afterAll, beforeAll, expect, test } from 'vitest';
import { PlantedWorkspace } from './planted-workspace.ts';
import type { PackageName, Verdict } from './planted-workspace.ts';

// A guard that fails open is worse than none, so every fence is shown a violation here.
// See docs/architecture.md, "How the layers are kept apart".

const workspace = new PlantedWorkspace();
afterAll(() => workspace.remove());

/** Which packages may import which; everything else must not even resolve. */
const LAYERS: Record<PackageName, readonly string[]> = {
  protocol: [],
  core: ['@memgrid/protocol'],
  node: ['@memgrid/protocol', '@memgrid/core'],
  client: ['@memgrid/protocol', '@memgrid/core'],
  simulator: ['@memgrid/protocol', '@memgrid/core'],
  cli: [
    '@memgrid/protocol',
    '@memgrid/core',
    '@memgrid/node',
    '@memgrid/client',
    '@memgrid/simulator',
  ],
};
const EVERY_PACKAGE = [...LAYERS.cli, 'memgrid'];

test.each(Object.entries(LAYERS) as [PackageName, string[]][])(
  'fence 1: %s resolves only the packages of its layer',
  async (name, allowed) => {
    const planted = EVERY_PACKAGE.map((specifier) => `import '${specifier}';\n`).join('');
    workspace.plant(`packages/${name}/src/fence-1.ts`, planted);
    const { output } = await workspace.compile(name);
    const own = name === 'cli' ? 'memgrid' : `@memgrid/${name}`;
    // A package may name itself (self-reference through its own "exports").
    const refused = EVERY_PACKAGE.filter(
      (specifier) => specifier !== own && unresolved(output, specifier),
    );
    const forbidden = EVERY_PACKAGE.filter((it) => it !== own && !allowed.includes(it));
    expect(refused).toEqual(forbidden);
  },
);

function unresolved(output: string, specifier: string): boolean {
  return output
    .split('\n')
    .some((line) => line.includes('fence-1.ts') && line.includes(`'${specifier}'`));
}

/** What a decision must not reach, each on the line where it is planted. */
const IMPURE = [
  'setTimeout(() => undefined, 1);',
  "console.log('x');",
  'process.exit(1);',
  "Buffer.from('x');",
  'performance.now();',
  "import 'node:fs';",
  "fetch('http://127.0.0.1/');",
  'crypto.randomUUID();',
  'new TextEncoder();',
];

test.each(['protocol', 'core'] as const)(
  'fence 2: %s compiles without a platform',
  async (name) => {
    const imports = IMPURE.filter((line) => line.startsWith('import'));
    const statements = IMPURE.filter((line) => !line.startsWith('import'));
    const lines = [...imports, ...statements, 'export {};'];
    workspace.plant(`packages/${name}/src/fence-2.ts`, lines.join('\n'));
    const { output, exitCode } = await workspace.compile(name);
    const reported = new Set(
      [...output.matchAll(/fence-2\.ts\((\d+),/g)].map((match) => Number(match[1])),
    );
    expect([...reported].sort((a, b) => a - b)).toEqual(IMPURE.map((_, index) => index + 1));
    expect(exitCode).not.toBe(0);
  },
);

test.each(['node', 'cli'] as const)('fence 2: %s does have a platform', async (name) => {
  const used = ['setTimeout(() => undefined, 1);', 'process.uptime();', 'export {};'];
  workspace.plant(`packages/${name}/src/platform.ts`, used.join('\n'));
  const { output } = await workspace.compile(name);
  expect(output).not.toContain('platform.ts');
});

interface Planted {
  readonly rule: string;
  readonly path: string;
  readonly source: string;
}

const IN_PURE_CODE: readonly Omit<Planted, 'path'>[] = [
  { rule: 'no-restricted-globals', source: 'export const x = Date.now();' },
  { rule: 'no-restricted-globals', source: 'export const x = new WeakRef({});' },
  { rule: 'no-restricted-globals', source: 'export const x = Promise.resolve(1);' },
  { rule: 'no-restricted-globals', source: 'export const x = new Intl.Collator();' },
  { rule: 'no-restricted-properties', source: 'export const x = Math.random();' },
  { rule: 'no-restricted-properties', source: "export const x = 'a'.localeCompare('b');" },
  { rule: 'no-async-await', source: 'export async function x() {}' },
];

const FOLDERS = ['config', 'net', 'disk', 'upstream', 'observe'] as const;

const PLANTED: readonly Planted[] = [
  ...['core', 'protocol'].flatMap((name) =>
    IN_PURE_CODE.map((planted, at) => ({
      ...planted,
      path: `packages/${name}/src/fence-3/impure-${at}.ts`,
    })),
  ),
  { rule: 'no-restricted-globals', path: 'packages/core/src/x.test.ts', source: 'Date.now();' },
  ...FOLDERS.flatMap((folder) => [
    ...FOLDERS.filter((other) => other !== folder).map((other) => ({
      rule: 'no-restricted-imports',
      path: `packages/node/src/${folder}/knows-${other}.ts`,
      source: `import '../${other}/neighbour.ts';`,
    })),
    {
      rule: 'no-restricted-imports',
      path: `packages/node/src/${folder}/knows-composition.ts`,
      source: "import '../node.ts';",
    },
    {
      rule: 'no-restricted-imports',
      path: `packages/node/src/${folder}/deep/knows-machines.ts`,
      source: "import { NodeMachine } from '@memgrid/core';\nexport const x = NodeMachine;",
    },
  ]),
  {
    rule: 'no-restricted-imports',
    path: 'packages/node/src/runtime/knows-http.ts',
    source: "import '../http/server.ts';",
  },
  {
    rule: 'no-restricted-imports',
    path: 'packages/node/src/http/knows-disk.ts',
    source: "import '../disk/records.ts';",
  },
  {
    rule: 'no-cycle',
    path: 'packages/core/src/cycle/hen.ts',
    source: "import { egg } from './egg.ts';\nexport const hen = (): unknown => egg;",
  },
  {
    rule: 'no-cycle',
    path: 'packages/core/src/cycle/egg.ts',
    source: "import { hen } from './hen.ts';\nexport const egg = (): unknown => hen;",
  },
  {
    rule: 'no-floating-promises',
    path: 'packages/node/src/floating.ts',
    source: 'async function later(): Promise<void> {}\nlater();',
  },
  {
    rule: 'no-misused-promises',
    path: 'packages/node/src/misused.ts',
    source:
      'async function later(): Promise<boolean> { return true; }\nif (later()) throw new Error();',
  },
  {
    rule: 'switch-exhaustiveness-check',
    path: 'packages/core/src/inexhaustive.ts',
    source: [
      "type Kind = 'a' | 'b';",
      'export function of(kind: Kind): number {',
      "  switch (kind) { case 'a': return 1; }",
      '  return 2;',
      '}',
    ].join('\n'),
  },
  {
    rule: 'no-explicit-any',
    path: 'packages/client/src/any.ts',
    source: 'export const x: any = 1;',
  },
  { rule: 'no-console', path: 'packages/cli/src/noise.ts', source: "console.log('x');" },
  {
    rule: 'no-default-export',
    path: 'packages/cli/src/nameless.ts',
    source: 'export default 1;',
  },
  { rule: 'filename-case', path: 'packages/cli/src/camelCase.ts', source: 'export const x = 1;' },
];

/** What the fences must let through, or people would learn to switch them off. */
const ALLOWED: readonly Omit<Planted, 'rule'>[] = [
  {
    path: 'packages/node/src/disk/uses-assertions.ts',
    source: "import { invariant } from '@memgrid/core';\ninvariant(true, 'Holds.');",
  },
  {
    path: 'packages/node/src/observe/reads-types.ts',
    source: "import type { NodeEvent } from '@memgrid/core';\nexport type X = NodeEvent;",
  },
  {
    path: 'packages/core/src/allowed.test.ts',
    source: 'export async function x(): Promise<void> {}',
  },
  { path: 'packages/node/src/runtime/allowed-clock.ts', source: 'export const x = Date.now();' },
];

let linted: Verdict;
beforeAll(async () => {
  for (const { path, source } of [...PLANTED, ...ALLOWED]) workspace.plant(path, source);
  linted = await workspace.lint();
});

test.each(PLANTED)('fence 3: $rule is reported in $path', ({ rule, path }) => {
  const lines = linted.output.split('\n').filter((line) => line.startsWith(`${path}:`));
  expect(lines.join('\n')).toContain(`(${rule})`);
});

test.each(ALLOWED)('fence 3: nothing is reported in $path', ({ path }) => {
  expect(linted.output).not.toContain(path);
});

test('fence 3: the planted files make the linter fail', () => {
  expect(linted.exitCode).not.toBe(0);
});
