import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PACKAGES, runProgram } from '../tidy/planted-workspace.ts';
import { readRepositoryFile } from '../tidy/repository.ts';
import { BuiltWorkspace } from './built-workspace.ts';

const built = new BuiltWorkspace();
beforeAll(async () => await built.build());
afterAll(() => built[Symbol.dispose]());

test.each(PACKAGES)('%s publishes exactly what its entry points need', (name) => {
  const manifest = built.manifest(name);
  const published = built.published(name);
  const entries = [...Object.values(manifest.exports), ...Object.values(manifest.imports ?? {})];
  for (const conditions of entries) {
    const { 'memgrid-source': source, 'memgrid-breaks': breaks, ...outside } = conditions;
    expect(source).toMatch(/^\.\/src\/.+\.ts$/);
    // The switch that breaks rules is for the sources only.
    if (breaks !== undefined) expect(breaks).toMatch(/^\.\/src\//);
    for (const target of Object.values(outside)) {
      expect(published).toContain(target.replace(/^\.\//, ''));
    }
  }
  expect(published.filter((file) => /\.test\.|testdata/.test(file))).toEqual([]);
  for (const file of Object.values(manifest.bin ?? {})) {
    expect(existsSync(built.path(name, file))).toBe(true);
  }
});

test.each(PACKAGES)('%s says what it is, under which licence and for which Node', (name) => {
  const manifest = built.manifest(name);
  const versions = new Set(PACKAGES.map((other) => built.manifest(other).version));
  expect(versions.size).toBe(1);
  expect(manifest.license).toBe('Apache-2.0');
  expect(manifest.type).toBe('module');
  expect(manifest.engines).toEqual({ node: '>=22.18' });
  expect(manifest.description).toMatch(/\.$/);
  // Nothing of ours runs when somebody installs it.
  expect(manifest.scripts).toBeUndefined();
  expect(readRepositoryFile(`packages/${name}/README.md`)).toContain(manifest.name);
});

test('a stranger’s project compiles against the declarations', async () => {
  const { output } = await built.compileConsumer(
    [
      "import { LIMITS, nodeId } from '@memgrid/protocol';",
      "import { NodeMachine } from '@memgrid/core';",
      "import type { NodeStatus } from '@memgrid/core';",
      "import { BREAKABLE_RULES } from '@memgrid/core/testing';",
      "import { startNode } from '@memgrid/node';",
      "import { OPTION_NAMES } from '@memgrid/node/config';",
      "import { simulate } from '@memgrid/simulator';",
      "import { connect, LIMITS as SAME } from '@memgrid/client';",
      "import type { Found, Grid } from '@memgrid/client';",
      "import { EXIT } from 'memgrid';",
      "import { closedLoop } from 'memgrid/bench';",
      "import type { Subject } from 'memgrid/bench';",
      'const traces: string = simulate({ seed: 1 }).traceHash;',
      'const start: Promise<{ status(): NodeStatus }> = startNode({ data: traces });',
      'const grid: Promise<Grid> = connect({ nodes: [] });',
      "const found: Promise<Found | undefined> = grid.then((it) => it.namespace('n').get('id'));",
      'export const used = found.finally(async () => (await grid).close());',
      "export const subject: Pick<Subject, 'name'> = { name: closedLoop.name };",
      'export default [LIMITS, SAME, nodeId, NodeMachine, BREAKABLE_RULES, OPTION_NAMES, EXIT, start];',
    ].join('\n'),
  );
  expect(output).toBe('');
});

test('the published binary runs without the sources', async () => {
  expect(await built.memgrid('--version')).toEqual({
    exitCode: 0,
    output: `${built.manifest('cli').version}\n`,
  });
  expect((await built.memgrid('config', 'check')).exitCode).toBe(0);
  expect((await built.memgrid('nonsense')).exitCode).toBe(2);
});

test.each(['18.20.0', '20.20.2', '22.17.1'])(
  'on Node %s the binary says what to do',
  async (node) => {
    const pretend = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'${node}'}})`;
    const argv = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`];
    const binary = built.path('cli', 'bin', 'memgrid.mjs');
    const { exitCode, output } = await runProgram(process.execPath, [...argv, binary], built.root);
    expect(exitCode).toBe(2);
    expect(output).toContain(`needs Node 22.18 or later; this is ${node}`);
    expect(output).toContain('npx -y pnpm@12 start');
  },
);

test('the published binary simulates, also on several threads', async () => {
  const argv = ['simulate', '--explore', '2', '--workers', '2', '--time', '1s', '--json'];
  const { exitCode, output } = await built.memgrid(...argv);
  expect(output).toContain('"seeds":2');
  expect(exitCode).toBe(0);
});

test('the published binary starts real nodes', async () => {
  const argv = ['dev', '--nodes', '1', '--for', '1ms', '--json'];
  const { exitCode, output } = await built.memgrid(...argv);
  expect(output).toContain('cluster.ready');
  expect(exitCode).toBe(0);
});

test('the published code has no switch that breaks a rule', async () => {
  const { broken } = (await import(built.path('core', 'dist', 'breaks.js'))) as {
    broken: (rule: string) => boolean;
  };
  const { BREAKABLE_RULES } = await import('@memgrid/core/testing');
  expect(BREAKABLE_RULES.filter((rule) => broken(rule))).toEqual([]);
});
