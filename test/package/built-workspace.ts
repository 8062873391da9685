import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PACKAGES, runProgram, runTool } from '../tidy/planted-workspace.ts';
import type { PackageName, Verdict } from '../tidy/planted-workspace.ts';
import { REPOSITORY } from '../tidy/repository.ts';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly description?: string;
  readonly type?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly imports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

/**
 * The packages as they are published: built from a copy of the sources in a temporary folder, so
 * that no build output is ever left where a test could pick it up instead of the source.
 */
export class BuiltWorkspace implements Disposable {
  readonly root = mkdtempSync(path.join(tmpdir(), 'memgrid-built-'));

  async build(): Promise<void> {
    for (const file of ['tsconfig.base.json', 'tsconfig.build.json']) {
      cpSync(path.join(REPOSITORY, file), path.join(this.root, file));
    }
    // Tools and their types; what the packages need at run time they bring themselves.
    symlinkSync(path.join(REPOSITORY, 'node_modules'), path.join(this.root, 'node_modules'));
    for (const name of PACKAGES) this.#copy(name);
    const { exitCode, output } = await runTool('tsc', ['-b', 'tsconfig.build.json'], this.root);
    if (exitCode !== 0) throw new Error(`The build failed:\n${output}`);
    // What is published has no sources: nothing may still reach for them.
    for (const name of PACKAGES) rmSync(this.path(name, 'src'), { recursive: true });
  }

  path(name: PackageName, ...names: readonly string[]): string {
    return path.join(this.root, 'packages', name, ...names);
  }

  manifest(name: PackageName): Manifest {
    return JSON.parse(readFileSync(this.path(name, 'package.json'), 'utf8')) as Manifest;
  }

  /** Everything that `files` publishes, relative to the package. */
  published(name: PackageName): readonly string[] {
    return (this.manifest(name).files ?? []).flatMap((entry) =>
      readdirSync(this.path(name, entry), { recursive: true, encoding: 'utf8' }).map((file) =>
        path.posix.join(entry, file),
      ),
    );
  }

  /** Compiles a file that uses the packages as a stranger's project would. */
  async compileConsumer(source: string): Promise<Verdict> {
    const folder = this.path('cli', 'consumer');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'consumer.mts'), source);
    const flags =
      '--ignoreConfig --noEmit --strict --skipLibCheck --target es2024 --module nodenext --types node';
    return await runTool('tsc', [...flags.split(' '), 'consumer.mts'], folder);
  }

  /** Runs the published binary. */
  async memgrid(...argv: readonly string[]): Promise<Verdict> {
    const binary = this.path('cli', 'bin', 'memgrid.mjs');
    return await runProgram(process.execPath, [binary, ...argv], this.root);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #copy(name: PackageName): void {
    const from = path.join(REPOSITORY, 'packages', name);
    for (const entry of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'src', 'bin']) {
      const source = path.join(from, entry);
      if (existsSync(source)) cpSync(source, this.path(name, entry), { recursive: true });
    }
    linkDependencies(path.join(from, 'node_modules'), this.path(name, 'node_modules'), (own) =>
      this.path(own),
    );
  }
}

/** The same dependencies, except that packages of this workspace are the copies. */
function linkDependencies(from: string, to: string, copyOf: (name: PackageName) => string): void {
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from).filter((name) => !name.startsWith('.'))) {
    const [source, target] = [path.join(from, entry), path.join(to, entry)];
    if (entry === '@memgrid') {
      mkdirSync(target);
      for (const own of readdirSync(source)) {
        symlinkSync(copyOf(own as PackageName), path.join(target, own));
      }
    } else if (entry.startsWith('@')) linkDependencies(source, target, copyOf);
    else symlinkSync(realpathSync(source), target);
  }
}
