import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { CommandError } from '../command-error.ts';
import { nodeDirectory } from './dev-directory.ts';
import type { DevDirectory } from './dev-directory.ts';
import { ANY_ADDRESSES, preferredAddresses } from './free-ports.ts';
import type { NodeAddresses } from './free-ports.ts';
import { NodeProcess } from './node-process.ts';
import type { RunningProcess } from './node-process.ts';

/** A node that runs and knows who it is. */
export interface LocalNode {
  readonly label: string;
  readonly process: RunningProcess;
  readonly nodeId: string;
  readonly generation: number;
  /** Peers: `host:port`. */
  readonly address: string;
  /** Admin: `http://host:port`. */
  readonly httpUrl: string;
  /** Its directory. */
  readonly data: string;
}

export interface LocalClusterOptions {
  readonly nodes: number;
  readonly directory: DevDirectory;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** How the processes of a cluster ended. */
export interface StopReport {
  /** Had to be killed: they did not stop in time when asked to. */
  readonly killed: readonly string[];
  /** Ended with an exit code other than 0 after they were asked to stop. */
  readonly failed: readonly string[];
}

interface Launch {
  readonly label: string;
  readonly process: NodeProcess;
  readonly address: string;
  readonly httpAddress: string;
  readonly data: string;
}

/** A node gives up on a graceful leave after 10 s by itself; what is left then is stuck. */
const STOP_GRACE_MS = 15_000;

/**
 * Real node processes on this machine that are to form one cluster.
 *
 * Every node binds its sockets first and says where; only then is any of them told about the
 * others. So no port is ever guessed, and no node can meet a stranger at a port that was free a
 * moment ago.
 */
export class LocalCluster {
  readonly #options: LocalClusterOptions;
  readonly #processes: NodeProcess[] = [];
  #stopping: Promise<StopReport> | undefined;

  constructor(options: LocalClusterOptions) {
    this.#options = options;
  }

  /** Starts every node; resolves when all of them run. They have not met yet. */
  async start(): Promise<readonly LocalNode[]> {
    const addresses = await preferredAddresses(this.#options.nodes);
    const launches = await Promise.all(
      addresses.map((wanted, at) => this.#listen(`n${at + 1}`, wanted)),
    );
    const seeds = launches.map(({ address }) => address);
    const expect = launches.length;
    for (const { process } of launches) process.tell({ kind: 'found', seeds, expect });
    return Promise.all(launches.map(started));
  }

  /**
   * Asks every node to leave in good order, then kills what is left. Idempotent.
   *
   * `last` leaves when the others have: a coordinator that leaves among them would hand its role
   * to somebody who is about to go, and wait for an answer that never comes.
   */
  stop(last?: RunningProcess): Promise<StopReport> {
    this.#stopping ??= this.#stopAll(last);
    return this.#stopping;
  }

  /** Ends everything at once, without a word to anybody. */
  kill(): void {
    for (const process of this.#processes) process.signal('SIGKILL');
  }

  async #listen(label: string, wanted: NodeAddresses): Promise<Launch> {
    const process = this.#launch(label, wanted);
    const report = await process.report('listening');
    if (report !== undefined) {
      const { address, httpAddress } = report;
      const data = nodeDirectory(this.#options.directory, label);
      return { label, process, address, httpAddress, data };
    }
    // Somebody took the port between our look and the bind.
    if (process.failure?.code === 'ADDRESS_IN_USE' && wanted !== ANY_ADDRESSES) {
      await process.ended;
      return this.#listen(label, ANY_ADDRESSES);
    }
    throw startFailure(process);
  }

  #launch(label: string, { listen, http }: NodeAddresses): NodeProcess {
    if (this.#stopping !== undefined) throw new CommandError('STOPPING', 'The cluster stops.');
    const { directory, environment } = this.#options;
    const data = nodeDirectory(directory, label);
    mkdirSync(data, { recursive: true });
    const process = new NodeProcess({
      label,
      logFile: path.join(directory.path, `${label}.log`),
      environment,
      flags: ['--data', data, '--listen', listen, '--http', http, '--profile', 'local'],
    });
    this.#processes.push(process);
    return process;
  }

  async #stopAll(last: RunningProcess | undefined): Promise<StopReport> {
    const running = this.#processes.filter(({ ending }) => ending === undefined);
    const stages = [running.filter((one) => one !== last), running.filter((one) => one === last)];
    const killed: string[] = [];
    for (const stage of stages) killed.push(...(await stopped(stage)));
    const failed = running
      .filter(({ label, ending }) => ending?.exitCode !== 0 && !killed.includes(label))
      .map(({ label }) => label);
    return { killed, failed };
  }
}

/** Stops these at the same time; returns the labels of those that had to be killed. */
async function stopped(processes: readonly NodeProcess[]): Promise<readonly string[]> {
  const killed: string[] = [];
  for (const process of processes) process.signal('SIGTERM');
  const deadline = setTimeout(() => {
    for (const process of processes.filter(({ ending }) => ending === undefined)) {
      killed.push(process.label);
      process.signal('SIGKILL');
    }
  }, STOP_GRACE_MS);
  await Promise.all(processes.map(async ({ ended }) => await ended));
  clearTimeout(deadline);
  return killed;
}

async function started(launch: Launch): Promise<LocalNode> {
  const { label, process, address, httpAddress, data } = launch;
  const report = await process.report('started');
  if (report === undefined) throw startFailure(process);
  const { nodeId, generation } = report;
  return { label, process, nodeId, generation, address, httpUrl: `http://${httpAddress}`, data };
}

function startFailure(process: NodeProcess): CommandError {
  const { failure } = process;
  if (failure !== undefined) {
    const { code, message, hint } = failure;
    return new CommandError(code, `${process.label}: ${message}`, { hint });
  }
  const tail = process.logTail(20).join('\n');
  return new CommandError('NODE_DIED', `${process.label} ended before it was ready.\n${tail}`);
}
