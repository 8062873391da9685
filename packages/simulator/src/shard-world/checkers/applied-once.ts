import type { AppliedChange } from '@memgrid/core';
import type { ShardChecker } from '../shard-checker.ts';
import type { ShardLife } from '../shard-host.ts';

/**
 * What one replica applied at an index, every other replica applies there or nothing, and an
 * acknowledged write is what was applied at its place.
 */
export function appliedOnce(): ShardChecker {
  const at = new Map<string, string>();
  const lastOf = new Map<string, number>();

  const agree = (place: string, what: string): string | undefined => {
    const before = at.get(place);
    if (before === undefined) at.set(place, what);
    else if (before !== what) return `${place} is ${what}, and was ${before}.`;
    return undefined;
  };

  const inOrder = (life: ShardLife, { index, shard }: AppliedChange): string | undefined => {
    const name = `${life.node}/${life.generation}/${shard}`;
    const before = lastOf.get(name) ?? 0;
    lastOf.set(name, index);
    return index > before
      ? undefined
      : `Shard ${shard}: index ${index} is applied after ${before} in the same life.`;
  };

  return {
    name: 'applied-once',
    applied: (life, changes) => {
      for (const change of changes) {
        // After a stream a replica says only how far it is, not what was applied there.
        const told = change.kind === 'unknown' ? undefined : nameOf(change);
        const problem =
          inOrder(life, change) ??
          (told === undefined ? undefined : agree(`${change.shard}/${change.index}`, told));
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
    finished: ({ end, key }) => {
      if (end.kind !== 'answered' || end.answer.result.kind !== 'written') return undefined;
      const { position, result } = end.answer;
      if (result.acknowledged !== 'quorum' || position.index === 0 || result.repeated) {
        return undefined;
      }
      const { dot } = result.version;
      const where = `${key.shard}/${position.index}`;
      const found = at.get(where);
      if (found === undefined || found.includes(`${dot.actor}:${dot.counter} `)) return undefined;
      return `${where} is ${found}, but a write with dot ${dot.actor}:${dot.counter} was acknowledged there.`;
    },
  };
}

function nameOf({ epoch, key, kind, version }: AppliedChange): string {
  if (version === undefined) return `${kind} of epoch ${epoch}`;
  return `${kind} of epoch ${epoch} to ${JSON.stringify(key)} by ${version.dot.actor}:${version.dot.counter} `;
}
