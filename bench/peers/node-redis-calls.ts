import { createClient, createCluster } from 'redis';
import { packageVersion } from './package-version.ts';
import { hostPort, type RedisCalls, type RedisTarget } from './redis-calls.ts';

/** node-redis, which sends the calls of one turn together without being asked to. */
export async function nodeRedisCalls(target: RedisTarget): Promise<RedisCalls> {
  return target.isCluster ? await clusterCalls(target) : await serverCalls(target);
}

async function serverCalls({ addresses }: RedisTarget): Promise<RedisCalls> {
  // A lost server is lost: a retry would hide that a system died in the middle of a run.
  const socket = { ...hostPort(addresses[0] ?? ''), reconnectStrategy: false } as const;
  const client = createClient({ socket });
  client.on('error', leaveToCalls);
  await client.connect();
  return {
    client: 'redis',
    version: packageVersion('redis'),
    get: (key) => client.get(key),
    set: (key, text) => client.set(key, text),
    setAll: (texts) => client.mSet(texts.map(([key, text]): [string, string] => [key, text])),
    putFields: (key, fields) => client.hSet(key, fields),
    field: (key, name) => client.hGet(key, name),
    fields: (key) => client.hGetAll(key),
    loadScript: (script) => client.scriptLoad(script),
    runScript: (sha, key, args) => client.evalSha(sha, { keys: [key], arguments: [...args] }),
    publish: (channel, text) => client.publish(channel, text),
    subscribe: (channel, heard) => subscribe(addresses, channel, heard),
    close: async () => client.destroy(),
  };
}

async function clusterCalls({ addresses }: RedisTarget): Promise<RedisCalls> {
  const rootNodes = addresses.map((address) => ({ socket: hostPort(address) }));
  const defaults = { socket: { reconnectStrategy: false } } as const;
  const cluster = createCluster({ rootNodes, defaults });
  cluster.on('error', leaveToCalls);
  await cluster.connect();
  return {
    client: 'redis',
    version: packageVersion('redis'),
    get: (key) => cluster.get(key),
    set: (key, text) => cluster.set(key, text),
    // MSET refuses keys of several slots.
    setAll: (texts) => Promise.all(texts.map(([key, text]) => cluster.set(key, text))),
    putFields: (key, fields) => cluster.hSet(key, fields),
    field: (key, name) => cluster.hGet(key, name),
    fields: (key) => cluster.hGetAll(key),
    loadScript: async (script) => {
      const loads = cluster.masters.map(async (primary) => {
        const client = await cluster.nodeClient(primary);
        return await client.scriptLoad(script);
      });
      return (await Promise.all(loads))[0] ?? '';
    },
    runScript: (sha, key, args) => cluster.evalSha(sha, { keys: [key], arguments: [...args] }),
    publish: (channel, text) => cluster.publish(channel, text),
    // Every server hears what is published at another.
    subscribe: (channel, heard) => subscribe(addresses, channel, heard),
    close: async () => cluster.destroy(),
  };
}

async function subscribe(
  addresses: readonly string[],
  channel: string,
  heard: (text: string) => void,
): Promise<() => Promise<void>> {
  const socket = { ...hostPort(addresses[0] ?? ''), reconnectStrategy: false } as const;
  const listener = createClient({ socket });
  listener.on('error', leaveToCalls);
  await listener.connect();
  await listener.subscribe(channel, heard);
  return async () => listener.destroy();
}

/** Without a listener the event would end the process; every call under way rejects as well. */
function leaveToCalls(): void {
  return undefined;
}
