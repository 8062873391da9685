import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, percentile, seconds, type Bench } from '../measurement.ts';

const BAR_MS = 3_000;
const CLI = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

/** From typing `memgrid dev` to one agreed cluster of three real processes. */
export const devStart: Bench = {
  row: 'dev-start',
  async run(effort, progress) {
    const rounds = effort === 'full' ? 10 : 2;
    const values: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      values.push(await startOnce());
      progress(`round ${round}: ${seconds(values.at(-1) ?? 0)}`);
    }
    const worst = percentile(values, 100);
    return [
      {
        row: 'dev-start',
        what: `\`memgrid dev --nodes 3\`: processes started to one agreed cluster, ${rounds} rounds`,
        bar: seconds(BAR_MS),
        measured: `median ${seconds(median(values))}, worst ${seconds(worst)}`,
        met: median(values) <= BAR_MS,
        numbers: { medianMs: median(values), worstMs: worst, rounds },
      },
    ];
  },
};

/** What the command itself measured: from starting the processes until all agree. */
async function startOnce(): Promise<number> {
  const args = [
    '--conditions=memgrid-source',
    CLI,
    'dev',
    '--nodes',
    '3',
    '--for',
    '100ms',
    '--json',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  for (const line of stdout.split('\n')) {
    if (line === '') continue;
    const told = JSON.parse(line) as { event: string; tookMs?: number };
    if (told.event === 'cluster.ready' && told.tookMs !== undefined) return told.tookMs;
  }
  throw new Error(`memgrid dev did not say when the cluster was formed:\n${stdout}`);
}
