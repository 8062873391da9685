import { isRedis, measuredBar } from './bars.ts';
import { comparedBench } from './compared-bench.ts';
import { datasetOf, redisClientsOf } from './effort.ts';
import { serverCost } from './server-cost.ts';
import { memgrid, nats, redisCluster } from './systems.ts';

const ROW = 'throughput-three-nodes';
const IN_FLIGHT = 256;

/**
 * Three nodes, each with a copy of everything, beside a Redis Cluster (three parts with an asynchronous
 * copy each) and a NATS bucket with three copies; nobody writes to a disk before it answers.
 */
export const threeNodes = comparedBench({
  row: ROW,
  title: 'Three nodes, memory',
  plan: (effort) => ({
    systems: [memgrid(3, 'memory'), redisCluster(redisClientsOf(effort)), nats('memory')],
    dataset: datasetOf(effort),
    plans: [
      { workload: 'set', loop: { kind: 'closed', inFlight: IN_FLIGHT } },
      { workload: 'get', loop: { kind: 'closed', inFlight: IN_FLIGHT } },
    ],
  }),
  measurements: (comparison) => {
    const where = `three nodes, replication 3, memory, one client process, ${IN_FLIGHT} in flight`;
    const bar = { row: ROW, kind: 'atLeast', isRival: isRedis } as const;
    return [
      measuredBar(
        {
          ...bar,
          workload: 'set',
          ratio: 1,
          what: `${where}: set at quorum, against Redis Cluster with asynchronous replicas`,
        },
        comparison,
      ),
      measuredBar(
        { ...bar, workload: 'get', ratio: 1.3, what: `${where}: get, against Redis Cluster` },
        comparison,
      ),
      serverCost({ row: ROW, where }, comparison),
    ];
  },
});
