import { isRedis, measuredBar } from './bars.ts';
import { comparedBench } from './compared-bench.ts';
import { datasetOf, redisClientsOf } from './effort.ts';
import { memgrid, nats, redis } from './systems.ts';

const ROW = 'throughput-disk';
const IN_FLIGHT = 256;

/** What is acknowledged is on disks: of a majority of three nodes, or of the one Redis. */
export const onDisk = comparedBench({
  row: ROW,
  title: 'Synced to disk',
  plan: (effort) => ({
    systems: [memgrid(3, 'disk'), redis('fsync', redisClientsOf(effort)), nats('file')],
    dataset: datasetOf(effort),
    plans: [{ workload: 'set', loop: { kind: 'closed', inFlight: IN_FLIGHT } }],
  }),
  measurements: (comparison) => [
    measuredBar(
      {
        row: ROW,
        what:
          `three nodes, replication 3, disk, one client process, ${IN_FLIGHT} in flight: set at quorum, ` +
          'against one Redis with appendfsync always',
        workload: 'set',
        ratio: 0.7,
        kind: 'atLeast',
        isRival: isRedis,
      },
      comparison,
    ),
  ],
});
