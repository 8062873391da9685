import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { MemgridProcess } from '../cluster/memgrid-process.ts';
import { REPOSITORY, readRepositoryFile, repositoryFiles } from '../tidy/repository.ts';

// What can be checked in a document is checked: links, commands, flags, actions.

const documents = repositoryFiles().filter((name) => name.endsWith('.md'));
const { scripts } = JSON.parse(readRepositoryFile('package.json')) as {
  scripts: Readonly<Record<string, string>>;
};

async function memgrid(...argv: readonly string[]): Promise<string> {
  await using command = new MemgridProcess(argv);
  expect(await command.exit).toEqual({ exitCode: 0, signal: null });
  return command.stdout;
}

test.each(documents)('every link of %s leads somewhere', (name) => {
  const links = [...readRepositoryFile(name).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => to);
  const local = links.filter((to) => !/^(https?:|mailto:|#)/.test(to));
  const missing = local.filter((to) => {
    const target = path.join(REPOSITORY, path.dirname(name), to.split('#', 1)[0] ?? '');
    return !existsSync(target);
  });
  expect(missing).toEqual([]);
});

/** Every `npx -y pnpm@12 …` line of a document. */
function pnpmCommands(name: string): readonly string[] {
  return [...readRepositoryFile(name).matchAll(/npx -y pnpm@12 ([^`\n#]+)/g)].map(
    ([, command = '']) => command.trim(),
  );
}

test.each(['README.md', 'CONTRIBUTING.md', 'bench/README.md', '.github/workflows/ci.yml'])(
  'every command of %s is a script of this workspace',
  (name) => {
    const commands = pnpmCommands(name);
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) {
      const [script = ''] = command.split(/\s+/).filter((word) => !word.startsWith('--'));
      expect([...Object.keys(scripts), 'exec']).toContain(script);
    }
  },
);

test('every memgrid command of the documents exists, with the flags that it is given', async () => {
  const typed = ['README.md', 'CONTRIBUTING.md', 'packages/cli/README.md']
    .flatMap((name) => [...readRepositoryFile(name).matchAll(/memgrid ([a-z][^`\n#]*)/g)])
    .map(([, line = '']) => line.trim())
    .filter((line) =>
      /^(dev|start|status|members|coordinator|simulate|config|put|list|shards|watch|workload|bench)\b/.test(
        line,
      ),
    );
  expect(typed.length).toBeGreaterThan(5);
  for (const line of new Set(typed)) {
    const words = line.split(/\s+/);
    const command = words.filter((word, at) => /^[a-z]+$/.test(word) && at < 2);
    const help = await memgrid(...command, '--help');
    for (const flag of words.filter((word) => word.startsWith('--'))) {
      expect(help, `${line}: ${flag}`).toContain(flag);
    }
  }
});

test('every guarantee names a check that exists, and every checker backs a guarantee', () => {
  const guarantees = readRepositoryFile('docs/guarantees.md');
  const named = [...guarantees.matchAll(/\| `([\w.-]+)` \|$/gm)].map(([, name = '']) => name);
  const files = repositoryFiles();
  for (const name of named.filter((one) => one.endsWith('.ts'))) {
    expect(files).toContain(`test/cluster/${name}`);
  }
  // Not the file's name: a file with a class is named after the class.
  const checkers = files
    .filter((file) => /^packages\/simulator\/src\/(?:shard-world\/)?checkers\//.test(file))
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => [...readRepositoryFile(file).matchAll(CHECKER_NAME)])
    .map(([, name]) => name);
  expect(checkers.length).toBeGreaterThan(10);
  expect(new Set(named.filter((one) => !one.endsWith('.ts')))).toEqual(new Set(checkers));
});

test('every test that the table of bad input names exists', () => {
  const rows = readRepositoryFile('docs/operations/bad-input.md').split('\n').slice(7);
  const named = rows.flatMap((row) => [...row.matchAll(/`([\w/-]+\.test\.ts)`/g)]);
  expect(named.length).toBeGreaterThan(15);
  const files = repositoryFiles();
  for (const [, name = ''] of named) {
    expect(files).toContain(name.includes('/') ? name : `test/cluster/${name}`);
  }
});

/** `name: 'one-leader-per-term'`, in every checker. */
const CHECKER_NAME = /\bname(?::| =) '([\w-]+)'/g;

test('the scripts that the design names exist', () => {
  const wanted = ['start', 'test', 'check', 'bench', 'simulate', 'fix', 'build', 'memgrid'];
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(wanted));
});

test('the help of memgrid is the recorded one', async () => {
  await expect(await memgrid('--help')).toMatchFileSnapshot('api/help.txt');
});

test('continuous integration runs what people run, with pinned actions and few rights', () => {
  const workflow = parse(readRepositoryFile('.github/workflows/ci.yml')) as {
    permissions: Readonly<Record<string, string>>;
    jobs: Readonly<Record<string, { steps: readonly { uses?: string; run?: string }[] }>>;
  };
  expect(workflow.permissions).toEqual({ contents: 'read' });
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
  for (const { uses, run } of steps) {
    if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    if (run !== undefined) expect(run).toMatch(/^npx -y pnpm@12 \w+/);
  }
});
