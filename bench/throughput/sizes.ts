import type { DatasetSize } from 'memgrid/bench';
import type { Bench } from '../measurement.ts';
import { isRedis, measuredBar } from './bars.ts';
import { comparedBench } from './compared-bench.ts';
import { datasetOf, shortPaceOf } from './effort.ts';
import { isInterrupted } from './interruption.ts';
import { memgrid, redis } from './systems.ts';

const ROW = 'throughput-sizes';
const IN_FLIGHT = 256;
const SIZES: readonly DatasetSize[] = ['100', '1024', '16384'];
const WORKLOADS = ['set', 'get'] as const;

/** How much of the cost is the entry's, and how much the call's. */
export const sizes: Bench = {
  row: ROW,
  run: async (effort, progress) => {
    const rows = [];
    for (const size of effort === 'full' ? SIZES : SIZES.slice(1, 2)) {
      if (!isInterrupted()) rows.push(...(await benchOf(size).run(effort, progress)));
    }
    return rows;
  },
};

function benchOf(size: DatasetSize): Bench {
  return comparedBench({
    row: ROW,
    title: `One node, entries of ${size} bytes`,
    plan: (effort) => ({
      // The third one is a fork of the first.
      systems: [memgrid(1, 'memory'), redis('memory', ['ioredis', 'redis'])],
      dataset: datasetOf(effort, size),
      plans: WORKLOADS.map((workload) => ({
        workload,
        loop: { kind: 'closed', inFlight: IN_FLIGHT },
      })),
    }),
    pace: shortPaceOf,
    measurements: (comparison) =>
      WORKLOADS.map((workload) =>
        measuredBar(
          {
            row: ROW,
            what: `one node, memory, ${IN_FLIGHT} in flight, entries of ${size} bytes: ${workload}, against the best Redis client`,
            workload,
            ratio: undefined,
            kind: 'atLeast',
            isRival: isRedis,
          },
          comparison,
        ),
      ),
  });
}
