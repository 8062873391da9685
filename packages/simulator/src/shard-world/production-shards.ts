import { Shards, shardsConfig } from '@memgrid/core';
import type { ShardsFactory } from './shard-host.ts';

/** What every host of a world of shards runs unless a test says otherwise. */
export const productionShards: ShardsFactory = (options) =>
  new Shards({ ...options, config: shardsConfig(options.config) });
