import { Redis } from 'ioredis';
import { setTimeout as pause } from 'node:timers/promises';
import { startOnFreePorts, type ChoosePorts } from './free-ports.ts';
import { withServers, type Running, type Servers } from './servers.ts';
import { programVersion, REDIS_SERVER } from './program.ts';
import { ServerProcess } from './server-process.ts';

const HOST = '127.0.0.1';
const PRIMARIES = 3;
const SLOTS = 16_384;
const FORMED_TIMEOUT_MS = 30_000;
const LOOK_MS = 50;

/** What a write waits for: nothing but memory, or `fsync` of the append-only file. */
export type RedisDurability = 'memory' | 'fsync';

const PERSISTENCE: Readonly<Record<RedisDurability, readonly string[]>> = {
  memory: ['--appendonly', 'no'],
  fsync: ['--appendonly', 'yes', '--appendfsync', 'always'],
};

/** A primary waits five seconds for more replicas before it sends itself; there are no more. */
const AT_ONCE = ['--repl-diskless-sync-delay', '0'];

/** One Redis. */
export async function startRedis(
  durability: RedisDurability,
  choose?: ChoosePorts,
): Promise<Running> {
  const version = programVersion(REDIS_SERVER);
  return await withServers(async (servers) => {
    const start = async ([port = 0]: readonly number[]): Promise<number> => {
      await launch(servers, { port, flags: PERSISTENCE[durability] });
      return port;
    };
    const port = await startOnFreePorts({ count: 1, start, choose });
    const how = durability === 'memory' ? 'no AOF' : 'appendfsync always';
    return running(servers, { title: `Redis ${version}, ${how}`, ports: [port] });
  });
}

/** Three primaries, each with a replica that follows asynchronously; nothing goes to the disk. */
export async function startRedisCluster(): Promise<Running> {
  const version = programVersion(REDIS_SERVER);
  return await withServers(async (servers) => {
    const places: Place[] = [];
    while (places.length < 2 * PRIMARIES) {
      const start = async ([port = 0, busPort = 0]: readonly number[]): Promise<Place> => {
        const flags = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
        await launch(servers, { port, flags: [...flags, ...PERSISTENCE.memory, ...AT_ONCE] });
        return { port, busPort };
      };
      places.push(await startOnFreePorts({ count: 2, start }));
    }
    await form(places);
    const title = `Redis Cluster ${version}, ${PRIMARIES} primaries, ${PRIMARIES} replicas, no AOF`;
    return running(servers, { title, ports: places.map(({ port }) => port) });
  });
}

interface Place {
  readonly port: number;
  /** Where the servers of the cluster talk to each other. */
  readonly busPort: number;
}

async function launch(
  servers: Servers,
  { port, flags }: { readonly port: number; readonly flags: readonly string[] },
): Promise<void> {
  const directory = servers.directory(`redis-${port}`);
  // No snapshots: they would be work that nobody asked for, in the middle of a round.
  const plain = ['--port', String(port), '--bind', HOST, '--save', '', '--dir', directory];
  await servers.add(
    ServerProcess.start({
      program: REDIS_SERVER,
      args: [...plain, ...flags],
      directory,
      isReady: (server) => Promise.resolve(server.log.includes('Ready to accept connections')),
    }),
  );
}

/** What `redis-cli --cluster create` does, without asking for a program more. */
async function form(places: readonly Place[]): Promise<void> {
  const clients = places.map(({ port }) => new Redis({ host: HOST, port }));
  try {
    const [first] = places;
    const until = performance.now() + FORMED_TIMEOUT_MS;
    for (const [at, client] of clients.entries()) {
      // Distinct from the start: servers that find the same epoch sort it out one after another.
      await client.cluster('SET-CONFIG-EPOCH', at + 1);
      if (at < PRIMARIES) {
        const [from, to] = [slotsBefore(at), slotsBefore(at + 1) - 1];
        await client.cluster('ADDSLOTSRANGE', from, to);
      }
      if (at > 0 && first !== undefined) {
        await client.call('CLUSTER', 'MEET', HOST, String(first.port), String(first.busPort));
      }
    }
    await untilTrue(until, 'know each other', () => everybody(clients, knowsAll));
    for (const [at, client] of clients.slice(PRIMARIES).entries()) {
      const primary = await clients[at]?.cluster('MYID');
      await client.cluster('REPLICATE', String(primary));
    }
    await untilTrue(until, 'serve every slot', () => everybody(clients, isServing));
    await untilTrue(until, 'replicate', () => everybody(clients, isReplicating));
  } finally {
    for (const client of clients) client.disconnect();
  }
}

function slotsBefore(primary: number): number {
  return Math.floor((primary * SLOTS) / PRIMARIES);
}

async function knowsAll(client: Redis): Promise<boolean> {
  return info(await client.cluster('INFO'), 'cluster_known_nodes') === String(2 * PRIMARIES);
}

async function isServing(client: Redis): Promise<boolean> {
  return info(await client.cluster('INFO'), 'cluster_state') === 'ok';
}

async function isReplicating(client: Redis): Promise<boolean> {
  const text = await client.info('replication');
  return info(text, 'role') === 'master'
    ? info(text, 'connected_slaves') === '1'
    : info(text, 'master_link_status') === 'up';
}

/** A value of the `name:value` lines that Redis answers with. */
function info(text: string, name: string): string | undefined {
  const line = text.split('\r\n').find((line) => line.startsWith(`${name}:`));
  return line?.slice(name.length + 1);
}

async function everybody(
  clients: readonly Redis[],
  is: (client: Redis) => Promise<boolean>,
): Promise<boolean> {
  return (await Promise.all(clients.map(is))).every(Boolean);
}

async function untilTrue(
  until: number,
  what: string,
  condition: () => Promise<boolean>,
): Promise<void> {
  while (!(await condition())) {
    if (performance.now() > until) throw new Error(`The Redis servers do not ${what} in 30 s.`);
    await pause(LOOK_MS);
  }
}

function running(
  servers: Servers,
  { title, ports }: { readonly title: string; readonly ports: readonly number[] },
): Running {
  return {
    title,
    addresses: ports.map((port) => `${HOST}:${port}`),
    pids: servers.pids,
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  };
}
