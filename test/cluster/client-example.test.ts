import { spawn } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { REPOSITORY, readRepositoryFile } from '../tidy/repository.ts';
import { DevCluster } from './dev-cluster.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** Where the documents say that a node is. */
const DOCUMENTED = 'ws://127.0.0.1:7700';

interface Example {
  readonly file: string;
  readonly at: number;
  readonly code: string;
  /** What the document says that it prints. */
  readonly output: string;
}

/** Programs in a document: TypeScript with an import, and the text block that follows it. */
function examplesIn(file: string): readonly Example[] {
  const blocks = [...readRepositoryFile(file).matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, language, code = ''], at) => {
    if (language !== 'ts' || !code.includes("from '@memgrid/client'")) return [];
    const [, next, output = ''] = blocks[at + 1] ?? [];
    return [{ file, at, code, output: next === 'text' ? output : '' }];
  });
}

const examples = ['README.md', 'docs/client.md', 'packages/client/README.md'].flatMap(examplesIn);

interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(command: string, ...argv: readonly string[]): Promise<Run> {
  const child = spawn(command, argv, { cwd: REPOSITORY });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await exit, stdout, stderr };
}

/** A folder from which `@memgrid/client` is what an application would install. */
function workplace(): TemporaryDirectory {
  const directory = new TemporaryDirectory();
  symlinkSync(path.join(REPOSITORY, 'test/node_modules'), directory.file('node_modules'));
  writeFileSync(directory.file('package.json'), '{"type": "module"}');
  const config = {
    extends: path.join(REPOSITORY, 'tsconfig.base.json'),
    compilerOptions: { types: ['node'], typeRoots: [path.join(REPOSITORY, 'node_modules/@types')] },
    include: ['*.ts'],
  };
  writeFileSync(directory.file('tsconfig.json'), JSON.stringify(config));
  return directory;
}

test('every example of the documents compiles', async () => {
  expect(examples.length).toBeGreaterThan(2);
  using directory = workplace();
  examples.forEach(({ code }, at) => writeFileSync(directory.file(`example-${at}.ts`), code));
  const tsc = path.join(REPOSITORY, 'node_modules/.bin/tsc');
  const { stdout, exitCode } = await run(tsc, '-p', directory.path);
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 });
});

test('every example of the documents does what the document says', async () => {
  await using cluster = await DevCluster.start('--nodes', '3');
  using directory = workplace();
  const node = cluster.others[0]?.address ?? '';
  for (const { file, at, code, output } of examples) {
    const program = directory.file(`example-${at}.ts`);
    writeFileSync(program, code.replaceAll(DOCUMENTED, `ws://${node}`));
    const ran = await run(process.execPath, '--conditions=memgrid-source', program);
    expect({ file, at, ...ran }).toEqual({ file, at, exitCode: 0, stdout: output, stderr: '' });
  }
});
