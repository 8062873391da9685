import type { ShardMessage, ShardStatus } from '@memgrid/core';
import type { ShardEpoch, ShardId } from '@memgrid/protocol';
import type { ShardChecker } from '../shard-checker.ts';

/** A replica that has answered in an epoch never answers in an older one, restarts included. */
export function promisesNeverFall(): ShardChecker {
  const told = new Map<string, ShardEpoch>();

  const problemOf = (
    node: number,
    { shard, epoch }: { readonly shard: ShardId; readonly epoch: ShardEpoch },
    verb: string,
  ): string | undefined => {
    const name = `${node}/${shard}`;
    const before = told.get(name) ?? 0;
    if (epoch < before) {
      return `Shard ${shard}: ${verb} epoch ${epoch} after it had answered in ${before}.`;
    }
    told.set(name, epoch);
    return undefined;
  };

  return {
    name: 'promises-never-fall',
    sent: (from, _to, body) => {
      for (const binding of bindingsOf(body)) {
        const problem = problemOf(from.node, binding, 'answers in');
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
    started: (life, status: readonly ShardStatus[]) => {
      for (const { promised, shard } of status) {
        const before = told.get(`${life.node}/${shard}`) ?? 0;
        if (promised < before) {
          return `Shard ${shard}: starts with promise ${promised} after it had answered in ${before}.`;
        }
      }
      return undefined;
    },
  };
}

/** What binds its sender to an epoch: answers to a primary, which may be counted in a quorum. */
function bindingsOf(
  body: ShardMessage,
): readonly { readonly shard: ShardId; readonly epoch: ShardEpoch }[] {
  switch (body.type) {
    case 'promiseAck':
    case 'replicateAck':
      return body.shards;
    default:
      return [];
  }
}
