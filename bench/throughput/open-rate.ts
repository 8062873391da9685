import { isRedis, measuredBar } from './bars.ts';
import { comparedBench } from './compared-bench.ts';
import { datasetOf, redisClientsOf } from './effort.ts';
import { memgrid, redisCluster } from './systems.ts';

const ROW = 'throughput-open-loop';
const RATE = 20_000;

/** Users who do not wait for each other: latency from the moment at which an operation was due. */
export const openRate = comparedBench({
  row: ROW,
  title: `Open loop, ${RATE} operations a second`,
  plan: (effort) => ({
    systems: [memgrid(3, 'memory'), redisCluster(redisClientsOf(effort))],
    dataset: datasetOf(effort),
    plans: [{ workload: 'mix', loop: { kind: 'open', rate: RATE } }],
  }),
  measurements: (comparison) => [
    measuredBar(
      {
        row: ROW,
        what:
          `open loop at ${RATE.toLocaleString('en-US')} operations a second, 90 % get and 10 % set, ` +
          'Zipf, three nodes, memory: p99 against the best client of Redis Cluster',
        workload: 'mix',
        ratio: 1.5,
        kind: 'atMost',
        isRival: isRedis,
      },
      comparison,
    ),
  ],
});
