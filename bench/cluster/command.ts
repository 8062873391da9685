import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withoutMemgrid } from './node-process.ts';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

/** What a command printed with `--json`. */
export interface CommandOutput<Data> {
  readonly exitCode: number | null;
  readonly data: Data;
  readonly warnings: readonly string[];
}

/**
 * Runs one `memgrid …` to its end.
 *
 * @throws Error when it printed no result, with what it wrote instead.
 */
export async function memgrid<Data>(...argv: readonly string[]): Promise<CommandOutput<Data>> {
  const child = spawn(
    process.execPath,
    ['--conditions=memgrid-source', MAIN, ...argv, '--json', '--no-progress'],
    { stdio: ['ignore', 'pipe', 'pipe'], env: withoutMemgrid(process.env) },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    // `close`, not `exit`: by then everything that was written has been read.
    child.once('close', resolve);
  });
  const { data, warnings = [] } = parsed<Data>(stdout);
  if (data === undefined || data === null) {
    throw new Error(`memgrid ${argv[0]} ended with ${exitCode}:\n${stdout}${stderr}`);
  }
  return { exitCode, data, warnings };
}

function parsed<Data>(text: string): { data?: Data | null; warnings?: readonly string[] } {
  try {
    return JSON.parse(text) as { data?: Data | null; warnings?: readonly string[] };
  } catch {
    // It died before it had a result: the caller shows what it wrote.
    return {};
  }
}
