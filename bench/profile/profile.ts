import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { LoadPlan, WorkloadName } from 'memgrid/bench';
import { NodeCluster } from '../cluster/node-cluster.ts';
import type { Effort } from '../measurement.ts';
import { loadOf } from '../throughput/comparison.ts';
import { datasetOf } from '../throughput/effort.ts';
import { interruptible } from '../throughput/interruption.ts';
import { LoadClient } from '../throughput/load-client.ts';
import { callTree } from './call-tree.ts';
import { summaryOf, type CpuProfile } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';
import { NodeInspector } from './node-inspector.ts';
import type { ProfiledProcess } from './profile-text.ts';

const IN_FLIGHT = 256;
const WORKLOADS = ['set', 'get'] as const satisfies readonly WorkloadName[];
const CLUSTERS = [1, 3] as const;
/** Microseconds between two looks: fine enough for a few seconds, and few per cent of the time. */
const INTERVAL_US = 250;

interface Seconds {
  readonly warmup: number;
  readonly measured: number;
}

const SECONDS: Readonly<Record<Effort, Seconds>> = {
  full: { warmup: 5, measured: 5 },
  quick: { warmup: 1, measured: 2 },
};

/** Where `.cpuprofile` files go, which Chrome and VS Code show, and flame graphs for everybody else. */
export const PROFILES = new URL('../profiles/', import.meta.url);

/** Profiles a node and its client under set and get, on one node and on three. */
export async function profileAll(
  effort: Effort,
  progress: (text: string) => void,
): Promise<readonly ProfiledProcess[]> {
  mkdirSync(PROFILES, { recursive: true });
  return await interruptible(async (signal) => {
    const all: ProfiledProcess[] = [];
    for (const nodes of CLUSTERS) {
      if (!signal.aborted) all.push(...(await profileCluster({ nodes, effort, signal, progress })));
    }
    return all;
  });
}

interface Task {
  readonly nodes: number;
  readonly effort: Effort;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
}

async function profileCluster({
  nodes,
  effort,
  signal,
  progress,
}: Task): Promise<readonly ProfiledProcess[]> {
  const where = nodes === 1 ? 'one node' : 'three nodes';
  await using cluster = await NodeCluster.start({ nodes, execArgv: ['--inspect=127.0.0.1:0'] });
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error('The cluster has no node.');
  await using client = await LoadClient.connect({
    target: { kind: 'memgrid', title: where, addresses: cluster.addresses, sync: 'memory' },
    dataset: datasetOf(effort),
    pids: cluster.nodes.map(({ process }) => process.pid),
  });
  await client.fill();
  using inspector = await NodeInspector.connect(first.process.logTail(Number.MAX_SAFE_INTEGER));
  const all: ProfiledProcess[] = [];
  for (const workload of WORKLOADS) {
    if (signal.aborted) break;
    progress(`${workload}, ${where}`);
    const under = { client, inspector, seconds: SECONDS[effort], signal };
    const { node, here, result } = await profiled(workload, under);
    const { operations, perSecond, serverCpuUs, clientCpuUs } = result;
    for (const [process, who, profile, cpuUs] of [
      ['node', nodes === 1 ? 'the node' : 'one of the nodes', node, serverCpuUs],
      ['client', 'the client', here, clientCpuUs],
    ] as const) {
      const file = `${workload}-${nodes}-${process}`;
      const [summary, tree] = [summaryOf(profile), callTree(profile)];
      const title = `${workload}, ${where}: ${who}`;
      writeFileSync(new URL(`${file}.cpuprofile`, PROFILES), JSON.stringify(profile));
      writeFileSync(new URL(`${file}.svg`, PROFILES), flameGraph(tree, { title, operations }));
      all.push({ workload, where, who, operations, perSecond, cpuUs, summary, tree, file });
    }
  }
  return all;
}

interface Under {
  readonly client: LoadClient;
  readonly inspector: NodeInspector;
  readonly seconds: Seconds;
  readonly signal: AbortSignal;
}

/** Both profiles cover what the load measures, and not its warm-up. */
async function profiled(workload: WorkloadName, { client, inspector, seconds, signal }: Under) {
  const plan: LoadPlan = { workload, loop: { kind: 'closed', inFlight: IN_FLIGHT } };
  const pace = { seconds: seconds.measured, warmupSeconds: 0 };
  const warmup = { seconds: seconds.warmup, warmupSeconds: 0 };
  await client.load(loadOf(plan, 1, warmup), signal);
  await inspector.call('Profiler.enable');
  await inspector.call('Profiler.setSamplingInterval', { interval: INTERVAL_US });
  await inspector.call('Profiler.start');
  await client.beginProfile(INTERVAL_US);
  const result = await client.load(loadOf(plan, 2, pace), signal);
  const here = JSON.parse(await client.endProfile()) as CpuProfile;
  const { profile } = await inspector.call('Profiler.stop');
  // A profile of waiting for the dead would look like one of work.
  if (result.end === 'died') throw new Error(`The nodes stopped answering: ${result.problem}`);
  // What the servers still write about must not be in the next profile.
  await pause(100);
  return { node: profile as CpuProfile, here, result };
}
