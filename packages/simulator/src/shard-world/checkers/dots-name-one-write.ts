import type { Dot } from '@memgrid/protocol';
import type { ShardChecker } from '../shard-checker.ts';
import { contentOf } from '../shard-keys.ts';

/** No two writes ever get the same dot. */
export function dotsNameOneWrite(): ShardChecker {
  const writes = new Map<string, string>();

  const agree = ({ actor, counter }: Dot, write: string): string | undefined => {
    const name = `${actor}:${counter}`;
    const before = writes.get(name);
    if (before === undefined) writes.set(name, write);
    else if (before !== write) return `Dot ${name} names ${write}, and named ${before}.`;
    return undefined;
  };

  return {
    name: 'dots-name-one-write',
    applied: (_life, changes) => {
      for (const { entry, key, kind, version } of changes) {
        if (version === undefined) continue;
        const content = entry.length === 0 ? 'nothing' : contentOf(entry);
        // A merge shows the winner of several writes under the kind of that write.
        const problem = agree(version.dot, `${kind === 'delete' ? 'delete' : content} at ${key}`);
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
    finished: ({ content, end, operation, key }) => {
      if (end.kind !== 'answered' || end.answer.result.kind !== 'written') return undefined;
      const what = operation.body.kind === 'delete' ? 'delete' : (content ?? '');
      return agree(end.answer.result.version.dot, `${what} at w\u0000${key.key}`);
    },
  };
}
