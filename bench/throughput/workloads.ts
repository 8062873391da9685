import type { LoadPlan } from 'memgrid/bench';
import type { Bench, Effort, Measurement } from '../measurement.ts';
import type { RowName } from '../record.ts';
import { isMemgrid, measuredBar } from './bars.ts';
import { comparedBench } from './compared-bench.ts';
import type { Comparison } from './comparison.ts';
import { datasetOf, memcachedClientsOf, redisClientsOf, shortPaceOf } from './effort.ts';
import { memcached, memgrid, nats, redis, redisCluster, type System } from './systems.ts';

const PLANS: readonly LoadPlan[] = [
  { workload: 'mix', loop: { kind: 'closed', inFlight: 256 } },
  { workload: 'cas', loop: { kind: 'closed', inFlight: 256 } },
  { workload: 'batch', loop: { kind: 'closed', inFlight: 16 } },
  { workload: 'list', loop: { kind: 'closed', inFlight: 16 } },
  { workload: 'watch', loop: { kind: 'closed', inFlight: 64 } },
];

const TITLES: Readonly<Partial<Record<LoadPlan['workload'], string>>> = {
  mix: '90 % get and 10 % set, Zipf',
  cas: 'compare-and-set',
  batch: 'batches of 50 sets',
  list: 'lists of a scope with 100 entries',
  watch: 'sets that 8 sessions hear of',
};

/** Everything else that an application does, on one node. */
export const workloads = workloadsBench({
  row: 'throughput-workloads',
  where: 'one node, memory',
  systems: (effort) => [
    memgrid(1, 'memory'),
    redis('memory', redisClientsOf(effort)),
    memcached(memcachedClientsOf(effort)),
  ],
});

/** The same on three. */
export const workloadsThree = workloadsBench({
  row: 'throughput-workloads-three',
  where: 'three nodes, memory',
  systems: (effort) => [memgrid(3, 'memory'), redisCluster(redisClientsOf(effort)), nats('memory')],
});

interface WorkloadsBench {
  readonly row: RowName;
  readonly where: string;
  readonly systems: (effort: Effort) => readonly System[];
}

function workloadsBench({ row, where, systems }: WorkloadsBench): Bench {
  return comparedBench({
    row,
    title: `Workloads, ${where}`,
    plan: (effort) => ({ systems: systems(effort), plans: PLANS, dataset: datasetOf(effort) }),
    pace: shortPaceOf,
    measurements: (comparison) =>
      PLANS.map((plan) => measured({ row, where }, { plan, comparison })),
  });
}

function measured(
  { row, where }: Pick<WorkloadsBench, 'row' | 'where'>,
  { plan, comparison }: { readonly plan: LoadPlan; readonly comparison: Comparison },
): Measurement {
  const { workload, loop } = plan;
  const inFlight = loop.kind === 'closed' ? `, ${loop.inFlight} in flight` : '';
  const bar = { row, workload, kind: 'atLeast', ratio: undefined } as const;
  const what = `${where}${inFlight}: ${TITLES[workload] ?? workload}, against the best peer`;
  const isRival = (subject: string): boolean => !isMemgrid({ subject });
  return measuredBar({ ...bar, what, isRival }, comparison);
}
