import {
  benchDataset,
  storeDataset,
  BATCH_ENTRIES,
  type BenchOperation,
  type Dataset,
  type Subject,
} from 'memgrid/bench';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts, PortInUseError, type ChoosePorts } from '../../bench/peers/free-ports.ts';
import { startMemcached } from '../../bench/peers/memcached-server.ts';
import { startNats } from '../../bench/peers/nats-servers.ts';
import { startRedis } from '../../bench/peers/redis-servers.ts';
import type { Running } from '../../bench/peers/servers.ts';
import { MEMCACHED, NATS_SERVER, REDIS_SERVER, programFile } from '../../bench/peers/program.ts';
import type { Program } from '../../bench/peers/program.ts';
import {
  memcached,
  nats,
  redis,
  redisCluster,
  type System,
} from '../../bench/throughput/systems.ts';
import { connectTarget } from '../../bench/throughput/target.ts';
import { isRunning } from './until.ts';

/** The servers are other people's: whoever has none of them can work on memgrid all the same. */
const PEERS: readonly { readonly program: Program; readonly system: System }[] = [
  { program: REDIS_SERVER, system: redis('memory') },
  { program: REDIS_SERVER, system: redis('fsync') },
  { program: REDIS_SERVER, system: redisCluster() },
  { program: MEMCACHED, system: memcached() },
  { program: NATS_SERVER, system: nats('memory') },
  { program: NATS_SERVER, system: nats('file') },
];

function isInstalled(program: Program): boolean {
  try {
    return programFile(program) !== '';
  } catch {
    return false;
  }
}

/** Tells how many clients there are. */
const NOWHERE = {
  title: '',
  addresses: [],
  pids: [],
  [Symbol.asyncDispose]: async () => undefined,
};

const LAST = 99;
const OPERATIONS: readonly BenchOperation[] = [
  { kind: 'set', n: 0 },
  { kind: 'get', n: LAST },
  { kind: 'batch', ns: Array.from({ length: BATCH_ENTRIES }, (_, n) => n) },
  { kind: 'list', scope: 0 },
  { kind: 'cas', n: 1 },
];

async function tryEverything(subject: Subject, dataset: Dataset): Promise<void> {
  await expect(subject.run({ kind: 'get', n: 0 }), 'nothing is stored yet').rejects.toThrow();
  await storeDataset(subject, dataset);
  for (const workload of subject.workloads) {
    await subject.prepare?.(workload);
    // Twice: the second compare-and-set has to know the version that the first one made.
    for (const operation of [...OPERATIONS, ...OPERATIONS]) {
      if (operation.kind === workload) await subject.run(operation);
    }
  }
}

/** Every listener hears a change. */
async function tryWatch(subject: Subject): Promise<void> {
  if (!subject.workloads.has('watch') || subject.watch === undefined) return;
  await subject.prepare?.('watch');
  const heard = Promise.withResolvers<number>();
  const watch = await subject.watch({ heard: (n) => heard.resolve(n), gap: () => undefined });
  await subject.run({ kind: 'set', n: 7 });
  expect(await heard.promise).toBe(7);
  await watch.close();
}

/** A port that somebody listens on for as long as a test runs. */
async function takenPort(): Promise<number> {
  const server = createServer();
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function directoriesOfThisProcess(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`memgrid-bench-${process.pid}-`));
}

const STARTS: readonly {
  readonly program: Program;
  readonly start: (choose: ChoosePorts) => Promise<Running>;
}[] = [
  { program: REDIS_SERVER, start: (choose) => startRedis('memory', choose) },
  { program: MEMCACHED, start: (choose) => startMemcached(choose) },
  { program: NATS_SERVER, start: (choose) => startNats('memory', choose) },
];

for (const { program, start } of STARTS) {
  test.skipIf(!isInstalled(program))(
    `${program.name} whose port is taken says so, and leaves nothing (needs ${program.aptPackage})`,
    async () => {
      const taken = await takenPort();
      let attempts = 0;
      // NATS takes several, of which the others are free.
      const choose: ChoosePorts = async (count) => {
        attempts += 1;
        return [taken, ...(await freePorts(count - 1))];
      };
      await expect(start(choose)).rejects.toThrow(PortInUseError);
      expect(attempts).toBeGreaterThan(1);
      expect(directoriesOfThisProcess()).toEqual([]);
      // With a port to be had in the end, it starts.
      attempts = 0;
      await using running = await start((count) =>
        attempts++ === 0 ? choose(count) : freePorts(count),
      );
      expect(running.pids.every(isRunning)).toBe(true);
    },
  );
}

for (const { program, system } of PEERS) {
  test.skipIf(!isInstalled(program))(
    `${system.title} does what its clients offer (needs ${program.aptPackage})`,
    async () => {
      const dataset = await benchDataset({ size: 'turns', count: LAST + 1 });
      // Each client finds an empty system: what the one before stored would hide that it stores nothing.
      for (const at of system.targets(NOWHERE).keys()) {
        await using running = await system.start();
        const target = system.targets(running)[at];
        if (target === undefined) throw new Error('The number of clients changed.');
        const subject = await connectTarget(target, dataset);
        await tryEverything(subject, dataset);
        await tryWatch(subject);
        await subject.close();
      }
    },
  );
}
