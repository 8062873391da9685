import type { ShardChecker } from '../shard-checker.ts';
import type { FinishedCall } from '../shard-client.ts';
import { contentOf } from '../shard-keys.ts';

/** When a content was first known to be stored for good, and when a delete had ended its life. */
interface Life {
  firstKnownMs: number;
  goneMs: number;
}

/**
 * A content that was acknowledged at quorum, or read at quorum or strong, before a delete of its
 * key began, is never read at quorum or strong after that delete was acknowledged.
 *
 * Linearizability says the same of registers; this also holds where writes at `one` and what they
 * left behind are merged in. Such a write itself may be concurrent with a delete, but loses to one
 * that is later by any clock.
 *
 * @param apartMs how far apart the clocks may be that decide which of the two is later.
 */
export function deletedStaysDeleted(apartMs: number): ShardChecker {
  const lives = new Map<string, Map<string, Life>>();

  const livesOf = (key: string): Map<string, Life> => {
    const found = lives.get(key) ?? new Map<string, Life>();
    lives.set(key, found);
    return found;
  };

  const known = (key: string, content: string, atMs: number): void => {
    const life = livesOf(key).get(content);
    if (life === undefined) livesOf(key).set(content, { firstKnownMs: atMs, goneMs: Infinity });
    else life.firstKnownMs = Math.min(life.firstKnownMs, atMs);
  };

  const readProblem = (call: FinishedCall, key: string, content: string): string | undefined => {
    const goneMs = livesOf(key).get(content)?.goneMs ?? Infinity;
    if (call.beganMs > goneMs) {
      return `${content} of ${key} is read at ${call.beganMs} ms, deleted at ${goneMs} ms.`;
    }
    known(key, content, call.endedMs);
    return undefined;
  };

  return {
    name: 'deleted-stays-deleted',
    finished: (call) => {
      const { beganMs, content, end, endedMs, operation } = call;
      if (end.kind !== 'answered') return undefined;
      const key = `${call.key.shard}/${call.key.key}`;
      const { result } = end.answer;
      if (result.kind === 'found' && operation.read !== 'one') {
        return readProblem(call, key, contentOf(result.found.entry));
      }
      if (result.kind !== 'written') return undefined;
      const isSettled = result.acknowledged === 'quorum';
      if (operation.body.kind === 'delete') {
        if (!isSettled) return undefined;
        for (const life of livesOf(key).values()) {
          if (life.firstKnownMs < beganMs) life.goneMs = Math.min(life.goneMs, endedMs);
        }
      } else if (content !== undefined) {
        known(key, content, isSettled ? endedMs : endedMs + apartMs);
      }
      return undefined;
    },
  };
}
