import * as ioredis from 'ioredis';
import * as iovalkey from 'iovalkey';
import { packageVersion } from './package-version.ts';
import { hostPort, type RedisCalls, type RedisTarget } from './redis-calls.ts';

/** What `ioredis` and its fork `iovalkey` have in common, for one server and for a cluster. */
interface Commands {
  get(key: string): Promise<string | null>;
  set(key: string, text: string): Promise<unknown>;
  mset(...keysAndTexts: string[]): Promise<unknown>;
  hset(key: string, fields: object): Promise<unknown>;
  hget(key: string, name: string): Promise<string | null>;
  hgetall(key: string): Promise<Record<string, string>>;
  publish(channel: string, text: string): Promise<unknown>;
  evalsha(sha: string, keyCount: number, ...keysAndArgs: string[]): Promise<unknown>;
  disconnect(): void;
}

/** A connection that listens. */
interface Listener {
  connect(): Promise<void>;
  subscribe(channel: string): Promise<unknown>;
  on(event: 'message', heard: (channel: string, text: string) => void): unknown;
  on(event: 'error', failed: () => void): unknown;
  disconnect(): void;
}

interface Server {
  script(subcommand: 'LOAD', script: string): Promise<unknown>;
}

/** Of one client library. */
interface Connection {
  readonly commands: Commands;
  readonly primaries: () => readonly Server[];
  /** In a cluster every server hears what is published at another. */
  readonly listener: () => Listener;
}

/** A lost server is lost: a retry would hide that a system died in the middle of a run. */
const OPTIONS = {
  enableAutoPipelining: true,
  lazyConnect: true,
  maxRetriesPerRequest: 0,
  retryStrategy: () => null,
} as const;
const CLUSTER_OPTIONS = {
  enableAutoPipelining: true,
  lazyConnect: true,
  clusterRetryStrategy: () => null,
  redisOptions: { maxRetriesPerRequest: 0 },
} as const;

export async function ioredisCalls(target: RedisTarget): Promise<RedisCalls> {
  return calls('ioredis', target, await connectIoredis(target));
}

export async function iovalkeyCalls(target: RedisTarget): Promise<RedisCalls> {
  return calls('iovalkey', target, await connectIovalkey(target));
}

async function connectIoredis({ addresses, isCluster }: RedisTarget): Promise<Connection> {
  const first = { ...hostPort(addresses[0] ?? ''), ...OPTIONS };
  const listener = (): Listener => new ioredis.Redis(first);
  if (isCluster) {
    const cluster = new ioredis.Cluster(addresses.map(hostPort), CLUSTER_OPTIONS);
    cluster.on('error', leaveToCalls);
    await cluster.connect();
    return { commands: cluster, primaries: () => cluster.nodes('master'), listener };
  }
  const client = new ioredis.Redis(first);
  client.on('error', leaveToCalls);
  await client.connect();
  return { commands: client, primaries: () => [client], listener };
}

async function connectIovalkey({ addresses, isCluster }: RedisTarget): Promise<Connection> {
  const first = { ...hostPort(addresses[0] ?? ''), ...OPTIONS };
  const listener = (): Listener => new iovalkey.Redis(first);
  if (isCluster) {
    // It takes the name of the script for the key, and then refuses the pipeline that it made.
    const options = { ...CLUSTER_OPTIONS, autoPipeliningIgnoredCommands: ['evalsha'] };
    const cluster = new iovalkey.Cluster(addresses.map(hostPort), options);
    cluster.on('error', leaveToCalls);
    await cluster.connect();
    return { commands: cluster, primaries: () => cluster.nodes('master'), listener };
  }
  const client = new iovalkey.Redis(first);
  client.on('error', leaveToCalls);
  await client.connect();
  return { commands: client, primaries: () => [client], listener };
}

/** Without a listener the event would end the process; every call under way rejects as well. */
function leaveToCalls(): void {
  return undefined;
}

function calls(
  client: string,
  { isCluster }: RedisTarget,
  { commands, primaries, listener }: Connection,
): RedisCalls {
  return {
    client,
    version: packageVersion(client),
    get: (key) => commands.get(key),
    set: (key, text) => commands.set(key, text),
    // MSET refuses keys of several slots; calls of one turn leave as one pipeline for each server.
    setAll: (texts) =>
      isCluster
        ? Promise.all(texts.map(([key, text]) => commands.set(key, text)))
        : commands.mset(...texts.flat()),
    putFields: (key, fields) => commands.hset(key, fields),
    field: (key, name) => commands.hget(key, name),
    fields: (key) => commands.hgetall(key),
    loadScript: async (script) => {
      const shas = await Promise.all(primaries().map((server) => server.script('LOAD', script)));
      return String(shas[0]);
    },
    runScript: (sha, key, args) => commands.evalsha(sha, 1, key, ...args),
    publish: (channel, text) => commands.publish(channel, text),
    subscribe: (channel, heard) => subscribe(listener(), channel, heard),
    close: async () => commands.disconnect(),
  };
}

async function subscribe(
  listener: Listener,
  channel: string,
  heard: (text: string) => void,
): Promise<() => Promise<void>> {
  listener.on('error', leaveToCalls);
  listener.on('message', (_, text) => heard(text));
  await listener.connect();
  await listener.subscribe(channel);
  return async () => listener.disconnect();
}
