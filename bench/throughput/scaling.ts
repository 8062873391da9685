import { setTimeout as pause } from 'node:timers/promises';
import type { LoadPlan, LoadResult, WorkloadName } from 'memgrid/bench';
import { median, type Bench, type Measurement } from '../measurement.ts';
import { loadOf } from './comparison.ts';
import { datasetOf, paceOf, type Pace } from './effort.ts';
import { interruptible } from './interruption.ts';
import { LoadClient } from './load-client.ts';
import { cpuUsOf, machineCpu } from './server-cpu.ts';
import { memgrid } from './systems.ts';

const ROW = 'throughput-scaling';
const CLIENTS = 3;
const IN_FLIGHT = 256;
const BAR = 0.9;
const WORKLOADS = ['set', 'get'] as const satisfies readonly WorkloadName[];

/** One, two and three client processes at the same time, until the machine is full. */
export const scaling: Bench = {
  row: ROW,
  run: (effort, progress) =>
    interruptible(async (signal) => {
      const system = memgrid(3, 'memory');
      await using running = await system.start();
      await using stack = new AsyncDisposableStack();
      const clients: LoadClient[] = [];
      for (const target of system.targets(running)) {
        while (clients.length < CLIENTS) {
          const options = { target, dataset: datasetOf(effort), pids: running.pids };
          clients.push(stack.use(await LoadClient.connect(options)));
        }
      }
      await clients[0]?.fill();
      const rows = [];
      for (const workload of WORKLOADS) {
        const parts = { clients, serverPids: running.pids, pace: paceOf(effort), signal };
        rows.push(measured(workload, await steps(workload, parts, progress)));
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

/** What one round with so many clients gave. */
interface Step {
  readonly clients: number;
  readonly perSecond: number;
  /** Of clients and servers together, for each operation. */
  readonly cpuUs: number;
  /** Cores that were ours to use: what we used, and what nobody did. */
  readonly cores: number;
  readonly isWhole: boolean;
}

async function steps(
  workload: WorkloadName,
  parts: Parts,
  progress: (text: string) => void,
): Promise<readonly Step[]> {
  const all: Step[] = [];
  for (let round = 1; round <= parts.pace.rounds; round += 1) {
    for (let count = 1; count <= CLIENTS; count += 1) {
      if (parts.signal.aborted) return all;
      const step = await stepOf(
        workload,
        { ...parts, clients: parts.clients.slice(0, count) },
        round,
      );
      all.push(step);
      progress(
        `${workload}, round ${round}: ${count} client processes ${perSecondText(step.perSecond)} a ` +
          `second, ${step.cpuUs.toFixed(1)} µs each, ${step.cores.toFixed(2)} cores to be had`,
      );
    }
  }
  return all;
}

async function stepOf(workload: WorkloadName, parts: Parts, round: number): Promise<Step> {
  const { clients, pace, signal } = parts;
  const plan: LoadPlan = { workload, loop: { kind: 'closed', inFlight: IN_FLIGHT } };
  const loads = clients.map((client, at) =>
    client.load(loadOf(plan, round * CLIENTS + at, pace), signal),
  );
  const [cores, results] = await Promise.all([coresDuring(parts), Promise.all(loads)]);
  const perSecond = sum(results.map((result) => result.perSecond));
  // Each client counts all that the servers do, for everybody: their mean is what they did.
  const serverUs = sum(results.map(serverUsPerSecond)) / results.length;
  const clientUs = sum(results.map((result) => result.clientCpuUs * result.perSecond));
  return {
    clients: clients.length,
    perSecond,
    cpuUs: (serverUs + clientUs) / perSecond,
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

/**
 * With more clients there is as much more as there are clients, until the processors that are to be
 * had are used up at the cost that an operation has with one client.
 */
function measured(workload: WorkloadName, all: readonly Step[]): Measurement {
  const counts = Array.from({ length: CLIENTS }, (_, at) => at + 1);
  const of = (clients: number, value: (step: Step) => number): number =>
    median(all.filter((step) => step.clients === clients).map(value));
  const one = {
    perSecond: of(1, ({ perSecond }) => perSecond),
    cpuUs: of(1, ({ cpuUs }) => cpuUs),
  };
  const lines = counts.map((clients) => {
    const perSecond = of(clients, (step) => step.perSecond);
    const full = (of(clients, ({ cores }) => cores) * 1e6) / one.cpuUs;
    const expected = Math.min(clients * one.perSecond, full);
    const cpuUs = of(clients, (step) => step.cpuUs);
    return { clients, perSecond, expected, cpuUs, share: perSecond / expected };
  });
  const isWhole = all.length > 0 && all.every((step) => step.isWhole);
  const shares = lines.slice(1).map(({ share }) => share);
  return {
    row: ROW,
    what: `three nodes, memory, one to three client processes with ${IN_FLIGHT} in flight each: ${workload}, against what the processors allow`,
    bar: `at least ${BAR * 100} %`,
    measured: [
      ...(isWhole ? [] : ['partial']),
      ...lines.map(
        ({ clients, perSecond, expected, cpuUs, share }) =>
          `${clients}: ${perSecondText(perSecond)} a second, ${cpuUs.toFixed(1)} µs each` +
          (clients === 1
            ? ''
            : ` (${perSecondText(expected)} expected: ${(share * 100).toFixed(0)} %)`),
      ),
    ].join('; '),
    met: isWhole && shares.every((share) => share >= BAR),
    ...(isWhole ? {} : { partial: 'not every round was measured whole' }),
    numbers: Object.fromEntries(
      lines.flatMap(({ clients, perSecond, expected, cpuUs }) => [
        [`${clients} clients per second`, perSecond],
        [`${clients} clients expected`, expected],
        [`${clients} clients us`, cpuUs],
      ]),
    ),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function perSecondText(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
