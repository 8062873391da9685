import { NodeCluster } from '../cluster/node-cluster.ts';
import { startMemcached } from '../peers/memcached-server.ts';
import { startNats, type NatsDurability } from '../peers/nats-servers.ts';
import type { Running } from '../peers/servers.ts';
import { startRedis, startRedisCluster, type RedisDurability } from '../peers/redis-servers.ts';
import { MEMCACHED_CLIENTS, REDIS_CLIENTS, type Target } from './target.ts';

/** A system that takes part in a comparison, and the clients through which it is measured. */
export interface System {
  /** How rows name it when it cannot be started. */
  readonly title: string;
  /** @throws NotInstalledError before anything is started. */
  start(): Promise<Running>;
  targets(running: Running): readonly Target[];
}

/** Real node processes; every shard has a copy on each of up to three nodes. */
export function memgrid(nodes: number, sync: 'memory' | 'disk'): System {
  const title = `memgrid, ${nodes === 1 ? 'one node' : `${nodes} nodes`}, ${sync}`;
  return {
    title,
    start: async () => {
      const cluster = await NodeCluster.start({ nodes });
      return {
        title,
        addresses: cluster.addresses,
        pids: cluster.nodes.map(({ process }) => process.pid),
        [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
      };
    },
    targets: ({ addresses }) => [{ kind: 'memgrid', title, addresses, sync }],
  };
}

type RedisClient = (typeof REDIS_CLIENTS)[number];

export function redis(
  durability: RedisDurability,
  clients: readonly RedisClient[] = REDIS_CLIENTS,
): System {
  const title = durability === 'memory' ? 'Redis' : 'Redis, fsync always';
  return {
    title,
    start: () => startRedis(durability),
    targets: ({ addresses }) =>
      clients.map((client) => ({
        kind: 'redis',
        title,
        addresses,
        client,
        isCluster: false,
      })),
  };
}

export function redisCluster(clients: readonly RedisClient[] = REDIS_CLIENTS): System {
  const title = 'Redis Cluster';
  return {
    title,
    start: startRedisCluster,
    targets: ({ addresses }) =>
      clients.map((client) => ({ kind: 'redis', title, addresses, client, isCluster: true })),
  };
}

type MemcachedClient = (typeof MEMCACHED_CLIENTS)[number];

export function memcached(clients: readonly MemcachedClient[] = MEMCACHED_CLIENTS): System {
  return {
    title: 'memcached',
    start: () => startMemcached(),
    targets: ({ addresses }) => clients.map((client) => ({ kind: 'memcached', addresses, client })),
  };
}

export function nats(durability: NatsDurability): System {
  const title = `NATS KV, ${durability}`;
  return {
    title,
    start: () => startNats(durability),
    // Where it does not do what the others do, every line about it says so.
    targets: ({ addresses, caveat }) => [
      { kind: 'nats', title: caveat === undefined ? title : `${title}, ${caveat}`, addresses },
    ],
  };
}
