import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { REPOSITORY } from './repository.ts';

export const PACKAGES = ['protocol', 'core', 'node', 'client', 'simulator', 'cli'] as const;
export type PackageName = (typeof PACKAGES)[number];

/** What a tool said about the planted files. */
export interface Verdict {
  readonly exitCode: number;
  readonly output: string;
}

/**
 * An empty copy of this workspace in a temporary folder, to plant violations in.
 *
 * It carries the real configuration files and the real installed dependencies, so that a fence
 * which holds here holds in the repository; the repository itself is never written to.
 */
export class PlantedWorkspace {
  readonly #root: string;

  constructor() {
    this.#root = mkdtempSync(join(tmpdir(), 'memgrid-planted-'));
    for (const file of [
      '.oxlintrc.json',
      'package.json',
      'tsconfig.base.json',
      'tsconfig.test.json',
      'tsconfig.json',
    ]) {
      cpSync(join(REPOSITORY, file), join(this.#root, file));
    }
    symlinkSync(join(REPOSITORY, 'node_modules'), join(this.#root, 'node_modules'));
    for (const name of PACKAGES) this.#copyPackage(name);
  }

  #copyPackage(name: PackageName): void {
    const [from, to] = [join(REPOSITORY, 'packages', name), join(this.#root, 'packages', name)];
    mkdirSync(join(to, 'src'), { recursive: true });
    for (const file of ['package.json', 'tsconfig.json']) cpSync(join(from, file), join(to, file));
    const dependencies = join(from, 'node_modules');
    if (existsSync(dependencies)) symlinkSync(dependencies, join(to, 'node_modules'));
  }

  plant(path: string, source: string): void {
    const file = join(this.#root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, source);
  }

  /** Compiles one package as `pnpm run check:types` does. */
  compile(name: PackageName): Promise<Verdict> {
    return this.#run('tsc', ['-p', join('packages', name), '--pretty', 'false']);
  }

  lint(): Promise<Verdict> {
    return this.#run('oxlint', ['--type-aware', '--format=unix', 'packages']);
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #run(tool: string, args: readonly string[]): Promise<Verdict> {
    return runTool(tool, args, this.#root);
  }
}

/** Runs one of the workspace's own tools and collects what it says. */
export function runTool(tool: string, args: readonly string[], cwd = REPOSITORY): Promise<Verdict> {
  return runProgram(join(REPOSITORY, 'node_modules/.bin', tool), args, cwd);
}

/** Runs a program to its end and collects what it says. */
export function runProgram(
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      // A tool that could not run at all must not look like one that found nothing.
      if (error !== null && typeof error.code !== 'number') reject(error as Error);
      else resolve({ exitCode: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}
