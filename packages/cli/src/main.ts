import { enableCompileCache } from 'node:module';
import { expectReadersToLeave, PROCESS_TERMINAL } from './terminal.ts';

// Loading is most of what a short command does; a second run takes what the first one compiled.
enableCompileCache();

/** The binary: runs one command line and leaves its exit code to the process. */
export async function main(argv: readonly string[]): Promise<void> {
  expectReadersToLeave();
  const { runCommandLine } = await import('./command-line.ts');
  process.exitCode = await runCommandLine(argv, PROCESS_TERMINAL);
}

if (import.meta.main) await main(process.argv.slice(2));
