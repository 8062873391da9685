import type { Dot } from '@memgrid/protocol';
import type { ShardChecker } from '../shard-checker.ts';
import { textsOf } from '../shard-keys.ts';
import type { EntryTexts } from '../shard-keys.ts';

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
        // A merge shows the winner of several writes under the kind of that write.
        const what = kind === 'delete' || entry.length === 0 ? 'delete' : nameOf(textsOf(entry));
        const problem = agree(version.dot, `${what} at ${key}`);
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
    finished: ({ content, end, operation, key }) => {
      if (end.kind !== 'answered' || end.answer.result.kind !== 'written') return undefined;
      // What an update leaves depends on what was there: only replicas know the whole of it.
      if (operation.body.kind === 'update') return undefined;
      const texts = { content: content ?? '', category: content ?? '' };
      const what = operation.body.kind === 'delete' ? 'delete' : nameOf(texts);
      return agree(end.answer.result.version.dot, `${what} at w\u0000${key.key}`);
    },
  };
}

function nameOf({ category, content }: EntryTexts): string {
  return category === content ? content : `${content} (${category})`;
}
