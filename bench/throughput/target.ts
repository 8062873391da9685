import type { Dataset, Subject } from 'memgrid/bench';
import { ioredisCalls, iovalkeyCalls } from '../peers/ioredis-calls.ts';
import { MemcacheSubject } from '../peers/memcache-subject.ts';
import { MemjsSubject } from '../peers/memjs-subject.ts';
import { NatsSubject } from '../peers/nats-subject.ts';
import { nodeRedisCalls } from '../peers/node-redis-calls.ts';
import type { RedisCalls, RedisTarget } from '../peers/redis-calls.ts';
import { RedisSubject } from '../peers/redis-subject.ts';
import { memgridSubject } from './memgrid-target.ts';

export const REDIS_CLIENTS = ['ioredis', 'redis', 'iovalkey'] as const;
export const MEMCACHED_CLIENTS = ['memjs', 'memcache'] as const;

/** What a load process is to connect to, and with which client. */
export type Target =
  | {
      readonly kind: 'memgrid';
      readonly title: string;
      readonly addresses: readonly string[];
      /** What "a majority has it" means for its writes. */
      readonly sync: 'memory' | 'disk';
    }
  | {
      readonly kind: 'redis';
      readonly title: string;
      readonly addresses: readonly string[];
      readonly client: (typeof REDIS_CLIENTS)[number];
      readonly isCluster: boolean;
    }
  | {
      readonly kind: 'memcached';
      readonly addresses: readonly string[];
      readonly client: (typeof MEMCACHED_CLIENTS)[number];
    }
  | { readonly kind: 'nats'; readonly title: string; readonly addresses: readonly string[] };

export async function connectTarget(target: Target, dataset: Dataset): Promise<Subject> {
  switch (target.kind) {
    case 'memgrid':
      return await memgridSubject(target, dataset);
    case 'redis': {
      const calls = await CALLS[target.client](target);
      return await RedisSubject.of(calls, { dataset, system: target.title });
    }
    case 'memcached': {
      const [address = ''] = target.addresses;
      if (target.client === 'memjs') return new MemjsSubject(address, dataset);
      return await MemcacheSubject.connect(address, dataset);
    }
    case 'nats':
      return await NatsSubject.connect(target, dataset);
  }
}

const CALLS: Readonly<
  Record<(typeof REDIS_CLIENTS)[number], (target: RedisTarget) => Promise<RedisCalls>>
> = {
  ioredis: ioredisCalls,
  iovalkey: iovalkeyCalls,
  redis: nodeRedisCalls,
};
