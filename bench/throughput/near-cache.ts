import { fileURLToPath } from 'node:url';
import { jsonOf } from '../child-program.ts';
import { NodeCluster } from '../cluster/node-cluster.ts';
import { median, type Bench, type Measurement } from '../measurement.ts';
import { packageVersion } from '../peers/package-version.ts';
import { datasetOf, paceOf } from './effort.ts';
import { interruptible } from './interruption.ts';
import type { NearRound, NearTask } from './near-process.ts';

const ROW = 'throughput-near-cache';
const PROGRAM = fileURLToPath(new URL('near-process.ts', import.meta.url));
const BARS = { async: 0.25, sync: 0.75 } as const;
const CALLS = { async: '`get`, one after another', sync: '`peek`' } as const;

/** What it costs to read an entry that is in this process already. */
export const nearCache: Bench = {
  row: ROW,
  run: async (effort, progress) => {
    const { rounds } = paceOf(effort);
    const rounded = await interruptible(async (signal) => {
      await using cluster = await NodeCluster.start({ nodes: 1 });
      const { addresses } = cluster;
      progress('three ways in turn: a bare lru-cache, asynchronous hits, synchronous hits');
      const seconds = effort === 'full' ? 1 : 0.5;
      return await nearRounds({ addresses, dataset: datasetOf(effort), rounds, seconds }, signal);
    });
    return (['async', 'sync'] as const).map((way) => measured(way, rounded));
  },
};

/** Undefined when it was interrupted. */
async function nearRounds(
  task: NearTask,
  signal: AbortSignal,
): Promise<readonly NearRound[] | undefined> {
  try {
    return await jsonOf<NearRound[]>({ file: PROGRAM, args: [JSON.stringify(task)], signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function measured(way: 'async' | 'sync', rounds: readonly NearRound[] | undefined): Measurement {
  const what = `near-cache hit, ${way}hronous (${CALLS[way]}), against a bare lru-cache get of the same entries`;
  const row = { row: ROW, what, bar: `at least ${BARS[way]} x` };
  if (rounds === undefined)
    return { ...row, measured: 'interrupted', met: false, partial: 'interrupted', numbers: {} };
  const [own, bare] = [rounds.map((round) => round[way]), rounds.map(({ lru }) => lru)];
  const ratio = median(own) / median(bare);
  return {
    ...row,
    measured:
      `${ratio.toFixed(2)} x: ${millions(own)} hits a second against ${millions(bare)} of ` +
      packageVersion('lru-cache'),
    met: ratio >= BARS[way],
    numbers: { ratio, hits: median(own), bare: median(bare), rounds: rounds.length },
  };
}

/** `12.1 (11.8–12.3) million`. */
function millions(values: readonly number[]): string {
  const text = (value: number): string => (value / 1e6).toFixed(2);
  const spread =
    values.length > 1 ? ` (${text(Math.min(...values))}–${text(Math.max(...values))})` : '';
  return `${text(median(values))}${spread} million`;
}
