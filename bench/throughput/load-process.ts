import {
  benchDataset,
  closedLoop,
  openLoop,
  storeDataset,
  type Dataset,
  type LoadResult,
  type Subject,
} from 'memgrid/bench';
import { Session } from 'node:inspector/promises';
import type {
  Load,
  LoadAnswers,
  LoadCommand,
  LoadInterrupt,
  LoadReply,
  SubjectFacts,
} from './load-protocol.ts';
import { cpuUsOf } from './server-cpu.ts';
import { connectTarget } from './target.ts';

// The program of a load process: one client of one system, alone in its process, so that what is
// measured is that client and that system and nobody else. `LoadClient` starts it.

interface Connected {
  readonly subject: Subject;
  readonly dataset: Dataset;
}

let connected: Connected | undefined;
let profile: Session | undefined;
let interruption = new AbortController();

process.on('message', (message: LoadCommand | LoadInterrupt) => {
  if (message.kind === 'interrupt') {
    interruption.abort();
    return;
  }
  carryOut(message).then(
    (value) => reply({ kind: 'done', value }),
    (error: unknown) => reply({ kind: 'failed', message: told(error) }),
  );
});
// Whoever started it is gone: nobody is left to measure for.
process.on('disconnect', () => process.exit(0));

async function carryOut(command: LoadCommand): Promise<LoadAnswers[LoadCommand['kind']]> {
  switch (command.kind) {
    case 'connect':
      return await connect(command);
    case 'fill':
      await storeDataset(here().subject, here().dataset);
      return undefined;
    case 'prepare':
      await here().subject.prepare?.(command.workload);
      return undefined;
    case 'load':
      return await load(command.load);
    case 'profile':
      return await beginOrEndProfile(command.intervalUs);
  }
}

async function connect(command: LoadCommand & { kind: 'connect' }): Promise<SubjectFacts> {
  const dataset = await benchDataset(command.dataset);
  const subject = await connectTarget(command.target, dataset);
  connected = { subject: withServerCpu(subject, command.pids), dataset };
  return { name: subject.name, version: subject.version, workloads: [...subject.workloads] };
}

/** The same, and counts what its servers use; those of a peer in the same way. */
function withServerCpu(subject: Subject, pids: readonly number[]): Subject {
  let knownUs = cpuUsOf(pids);
  const watch = subject.watch?.bind(subject);
  return {
    name: subject.name,
    version: subject.version,
    workloads: subject.workloads,
    run: (operation) => subject.run(operation),
    prepare: async (workload) => await subject.prepare?.(workload),
    // A server that has died is read no more: what it had used until then is what counts.
    serverCpuUs: () => (knownUs = cpuUsOf(pids) ?? knownUs),
    close: () => subject.close(),
    ...(watch === undefined ? {} : { watch }),
  };
}

async function load({ drive, ...rest }: Load): Promise<LoadResult> {
  const { subject, dataset } = here();
  interruption = new AbortController();
  const options = { ...rest, dataset, signal: interruption.signal };
  return drive.kind === 'closed'
    ? await closedLoop(subject, { ...options, inFlight: drive.inFlight })
    : await openLoop(subject, { ...options, rate: drive.rate });
}

async function beginOrEndProfile(interval?: number): Promise<string | undefined> {
  if (profile === undefined) {
    profile = new Session();
    profile.connect();
    await profile.post('Profiler.enable');
    if (interval !== undefined) await profile.post('Profiler.setSamplingInterval', { interval });
    await profile.post('Profiler.start');
    return undefined;
  }
  const { profile: found } = await profile.post('Profiler.stop');
  profile.disconnect();
  profile = undefined;
  return JSON.stringify(found);
}

function here(): Connected {
  if (connected === undefined) throw new Error('This load process is not connected.');
  return connected;
}

function reply(message: LoadReply): void {
  process.send?.(message);
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
