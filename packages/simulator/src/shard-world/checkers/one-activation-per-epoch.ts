import type { ShardChecker } from '../shard-checker.ts';

/** In one epoch of one shard at most one life of one node serves as primary. */
export function oneActivationPerEpoch(): ShardChecker {
  const active = new Map<string, string>();
  return {
    name: 'one-activation-per-epoch',
    event: (life, event) => {
      if (event.name !== 'shard.activated') return undefined;
      const name = `${event.shard}/${event.epoch}`;
      const now = `n${life.node + 1} in generation ${life.generation}`;
      const before = active.get(name);
      active.set(name, now);
      if (before === undefined || before === now) return undefined;
      return `Shard ${event.shard}: ${now} is active in epoch ${event.epoch}, as ${before} was.`;
    },
  };
}
