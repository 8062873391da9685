import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startOnFreePorts, type ChoosePorts } from './free-ports.ts';
import { withServers, type Running, type Servers } from './servers.ts';
import { NATS_SERVER, programFile, programVersion } from './program.ts';
import { ServerProcess } from './server-process.ts';

const HOST = '127.0.0.1';
const SERVERS = 3;
const ANSWER_TIMEOUT_MS = 1_000;
const LOOK_MS = 100;
const FORMED_TIMEOUT_MS = 30_000;

/** What a write waits for: memory, or the file of a majority, synced if the server can do that. */
export type NatsDurability = 'memory' | 'file';

/** The bucket of the entries. */
export const BUCKET = 'bench';

/** Three servers with JetStream, and a bucket of which each has a replica. */
export async function startNats(
  durability: NatsDurability,
  choose?: ChoosePorts,
): Promise<Running> {
  const version = programVersion(NATS_SERVER);
  return await withServers(async (servers) => {
    const syncs = durability === 'file' && canSyncAlways(servers);
    const start = (ports: readonly number[]): Promise<readonly number[]> =>
      launchAll(servers, ports, syncs);
    const ports = await startOnFreePorts({ count: 2 * SERVERS, start, choose });
    const addresses = ports.map((port) => `${HOST}:${port}`);
    await createBucket(addresses, durability);
    const isUnsynced = durability === 'file' && !syncs;
    const storage = syncs ? 'file, sync_interval always' : STORAGE[durability];
    return {
      title: `NATS JetStream KV ${version}, ${SERVERS} servers, ${storage}`,
      ...(isUnsynced ? { caveat: 'not synced' } : {}),
      addresses,
      pids: servers.pids,
      [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
    };
  });
}

const STORAGE: Readonly<Record<NatsDurability, string>> = {
  memory: 'memory',
  // `sync_interval: always` came with 2.10: before, files are synced every two minutes.
  file: 'file, not synced (sync_interval always needs 2.10)',
};

interface NatsPlace {
  readonly clientPort: number;
  readonly routePorts: readonly number[];
  readonly at: number;
  readonly syncs: boolean;
}

/** All of them or none: with one port taken, the others begin again with ports of their own. */
async function launchAll(
  servers: Servers,
  ports: readonly number[],
  syncs: boolean,
): Promise<readonly number[]> {
  const [clientPorts, routePorts] = [ports.slice(0, SERVERS), ports.slice(SERVERS)];
  const launches = clientPorts.map((clientPort, at) =>
    launch(servers, { clientPort, routePorts, at, syncs }),
  );
  const outcomes = await Promise.allSettled(launches);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return clientPorts;
  await servers.stop();
  throw failed.reason;
}

async function launch(servers: Servers, place: NatsPlace): Promise<void> {
  const directory = servers.directory(`nats-${place.clientPort}`);
  const file = path.join(directory, 'nats.conf');
  writeFileSync(file, configuration(place, directory));
  await servers.add(
    ServerProcess.start({
      program: NATS_SERVER,
      args: ['-c', file],
      directory,
      isReady: (server) => Promise.resolve(server.log.includes('Server is ready')),
    }),
  );
}

/** Made once the servers have chosen a leader and know each other; refused or unanswered before. */
async function createBucket(
  addresses: readonly string[],
  durability: NatsDurability,
): Promise<void> {
  const until = performance.now() + FORMED_TIMEOUT_MS;
  const connection = await connect({ servers: [...addresses] });
  try {
    const kvm = new Kvm(jetstream(connection, { timeout: ANSWER_TIMEOUT_MS }));
    const options = { replicas: SERVERS, history: 1, storage: durability, allow_direct: true };
    for (;;) {
      try {
        await kvm.create(BUCKET, options);
        return;
      } catch (error) {
        if (performance.now() > until) throw error;
      }
      await pause(LOOK_MS);
    }
  } finally {
    await connection.close();
  }
}

function configuration({ clientPort, routePorts, at, syncs }: NatsPlace, data: string): string {
  const routes = routePorts.map((port) => `"nats://${HOST}:${port}"`).join(', ');
  return [
    `server_name: bench-${at + 1}`,
    `listen: "${HOST}:${clientPort}"`,
    `jetstream { store_dir: "${data}"${syncs ? ', sync_interval: always' : ''} }`,
    `cluster { name: bench, listen: "${HOST}:${routePorts[at]}", routes: [${routes}] }`,
    '',
  ].join('\n');
}

/** Whether this version knows `sync_interval: always`: it is asked to check such a file. */
function canSyncAlways(servers: Servers): boolean {
  const directory = servers.directory('nats-check');
  const file = path.join(directory, 'nats.conf');
  writeFileSync(file, `jetstream { store_dir: "${directory}", sync_interval: always }\n`);
  try {
    execFileSync(programFile(NATS_SERVER), ['-t', '-c', file], { stdio: 'pipe' });
    return true;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: Buffer | string };
    if (stderr.toString().includes('unknown field')) return false;
    throw error;
  }
}
