import { setTimeout as pause } from 'node:timers/promises';
import type { LoadPlan, LoadResult, WorkloadName } from 'memgrid/bench';
import type { Bench } from '../measurement.ts';
import { loadOf } from './comparison.ts';
import { datasetOf, paceOf, type Pace } from './effort.ts';
import { interruptible } from './interruption.ts';
import { LoadClient } from './load-client.ts';
import {
  SCALING_CLIENTS,
  SCALING_LOADS,
  SCALING_ROW,
  scalingBar,
  type ScalingStep,
} from './scaling-bar.ts';
import { cpuUsOf, machineCpu } from './server-cpu.ts';
import { memgrid } from './systems.ts';

const WORKLOADS = ['set', 'get'] as const satisfies readonly WorkloadName[];

/** One, two and three client processes at the same time, until the machine is full. */
export const scaling: Bench = {
  row: SCALING_ROW,
  run: (effort, progress) =>
    interruptible(async (signal) => {
      const system = memgrid(3, 'memory');
      await using running = await system.start();
      await using stack = new AsyncDisposableStack();
      const clients: LoadClient[] = [];
      for (const target of system.targets(running)) {
        while (clients.length < SCALING_CLIENTS) {
          const options = { target, dataset: datasetOf(effort), pids: running.pids };
          clients.push(stack.use(await LoadClient.connect(options)));
        }
      }
      await clients[0]?.fill();
      const rows = [];
      for (const workload of WORKLOADS) {
        const parts = { clients, serverPids: running.pids, pace: paceOf(effort), signal };
        rows.push(scalingBar(workload, await steps(workload, parts, progress)));
      }
      return rows;
    }),
};

interface Parts {
  readonly clients: readonly LoadClient[];
  readonly serverPids: readonly number[];
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

async function steps(
  workload: WorkloadName,
  parts: Parts,
  progress: (text: string) => void,
): Promise<readonly ScalingStep[]> {
  const all: ScalingStep[] = [];
  for (let round = 1; round <= parts.pace.rounds; round += 1) {
    for (const { clients: count, inFlight } of SCALING_LOADS) {
      if (parts.signal.aborted) return all;
      const clients = parts.clients.slice(0, count);
      const step = await stepOf({ ...parts, clients }, { workload, inFlight, round });
      all.push(step);
      progress(
        `${workload}, round ${round}: ${count} client process${count === 1 ? '' : 'es'}, ${inFlight} in flight: ` +
          `${perSecondText(step.perSecond)} a second, ${step.clientUs.toFixed(1)} µs of clients and ` +
          `${step.serverUs.toFixed(1)} of nodes each, ${step.cores.toFixed(2)} cores to be had`,
      );
    }
  }
  return all;
}

interface Turn {
  readonly workload: WorkloadName;
  /** Of all clients together. */
  readonly inFlight: number;
  readonly round: number;
}

async function stepOf(parts: Parts, { workload, inFlight, round }: Turn): Promise<ScalingStep> {
  const { clients, pace, signal } = parts;
  const loop = { kind: 'closed', inFlight: inFlight / clients.length } as const;
  const plan: LoadPlan = { workload, loop };
  const loads = clients.map((client, at) =>
    client.load(loadOf(plan, round * SCALING_CLIENTS + at, pace), signal),
  );
  const [cores, results] = await Promise.all([coresDuring(parts), Promise.all(loads)]);
  const perSecond = sum(results.map((result) => result.perSecond));
  // Each client counts all that the servers do, for everybody: their mean is what they did.
  const serverUs = sum(results.map(serverUsPerSecond)) / results.length;
  const clientUs = sum(results.map((result) => result.clientCpuUs * result.perSecond));
  return {
    round,
    clients: clients.length,
    inFlight,
    perSecond,
    clientUs: clientUs / perSecond,
    serverUs: serverUs / perSecond,
    cores,
    isWhole: results.every(({ end }) => end === 'complete'),
  };
}

function serverUsPerSecond({ serverCpuUs = Number.NaN, perSecond }: LoadResult): number {
  return serverCpuUs * perSecond;
}

/** Looked at in the middle of the load, when everybody is at it. */
async function coresDuring({ clients, serverPids, pace, signal }: Parts): Promise<number> {
  const pids = [...serverPids, ...clients.map(({ pid }) => pid)];
  const [beforeMs, duringMs] = [pace.warmupSeconds * 1_000 + 100, pace.seconds * 1_000 - 200];
  try {
    await pause(beforeMs, undefined, { signal });
    const from = used(pids);
    await pause(duringMs, undefined, { signal });
    const until = used(pids);
    return (until.oursUs + until.idleUs - from.oursUs - from.idleUs) / (until.atUs - from.atUs);
  } catch (error) {
    // Interrupted: the round is not whole, and nobody asks how much there was.
    if (signal.aborted) return Number.NaN;
    throw error;
  }
}

function used(pids: readonly number[]): { oursUs: number; idleUs: number; atUs: number } {
  const [oursUs, machine] = [cpuUsOf(pids), machineCpu()];
  return {
    oursUs: oursUs ?? Number.NaN,
    idleUs: machine?.idleUs ?? Number.NaN,
    atUs: performance.now() * 1_000,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function perSecondText(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
