import { isRedis, measuredBar } from './bars.ts';
import { comparedBench } from './compared-bench.ts';
import { datasetOf, memcachedClientsOf, redisClientsOf } from './effort.ts';
import { serverCost } from './server-cost.ts';
import { memcached, memgrid, redis } from './systems.ts';

const ROW = 'throughput-one-node';
const IN_FLIGHT = 256;

/** One node beside one Redis and one memcached; nobody writes to a disk before it answers. */
export const oneNode = comparedBench({
  row: ROW,
  title: 'One node, memory',
  plan: (effort) => ({
    systems: [
      memgrid(1, 'memory'),
      redis('memory', redisClientsOf(effort)),
      memcached(memcachedClientsOf(effort)),
    ],
    dataset: datasetOf(effort),
    plans: [
      { workload: 'set', loop: { kind: 'closed', inFlight: IN_FLIGHT } },
      { workload: 'get', loop: { kind: 'closed', inFlight: IN_FLIGHT } },
    ],
  }),
  measurements: (comparison) => {
    const where = `one node, memory, one client process, ${IN_FLIGHT} in flight`;
    const bar = { row: ROW, kind: 'atLeast', isRival: isRedis } as const;
    return [
      measuredBar(
        { ...bar, workload: 'set', ratio: 2, what: `${where}: set, against the best Redis client` },
        comparison,
      ),
      measuredBar(
        {
          ...bar,
          workload: 'get',
          ratio: 1.6,
          what: `${where}: get, against the best Redis client`,
        },
        comparison,
      ),
      serverCost({ row: ROW, where }, comparison),
    ];
  },
});
