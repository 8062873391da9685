import { decodeValue, entryBodyField } from '@memgrid/protocol';
import { WORLD_EPOCH_MS } from '../../sim-clock.ts';
import type { ShardChecker } from '../shard-checker.ts';
import type { FinishedCall } from '../shard-client.ts';

interface Put {
  readonly beganMs: number;
  /** Infinite while it may still happen. */
  readonly endedMs: number;
  readonly expiresAtMs: number;
  readonly acknowledged: boolean;
}

/**
 * What has expired is not read any more, and what was acknowledged is not hidden before.
 *
 * @param apartMs how far apart the clocks may be that decide, with the time that messages take.
 */
export function expiryIsKept(apartMs: number): ShardChecker {
  const puts = new Map<string, Put[]>();
  /** Judged at the end: a put that hid the entry may still have been under way. */
  const absent: FinishedCall[] = [];
  return {
    name: 'expiry-is-kept',
    finished: (call) => {
      const { end, expiresAt, key } = call;
      if (key.keyClass !== 'expiring') return undefined;
      const name = `${key.shard}/${key.key}`;
      const ofKey = puts.get(name) ?? [];
      puts.set(name, ofKey);
      if (call.content !== undefined && end.kind !== 'failed') {
        ofKey.push({
          beganMs: call.beganMs,
          endedMs: end.kind === 'unknown' ? Infinity : call.endedMs,
          expiresAtMs: expiresAt - WORLD_EPOCH_MS,
          acknowledged: end.kind === 'answered',
        });
        return undefined;
      }
      if (end.kind !== 'answered') return undefined;
      const { result } = end.answer;
      if (result.kind === 'found') return tooLate(call, result.found.entry, apartMs);
      if (result.kind === 'absent') absent.push(call);
      return undefined;
    },
    finish: () => {
      for (const call of absent) {
        const ofKey = puts.get(`${call.key.shard}/${call.key.key}`) ?? [];
        const problem = tooEarly(call, ofKey, apartMs);
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
  };
}

function tooLate(call: FinishedCall, entry: Uint8Array, apartMs: number): string | undefined {
  const body = decodeValue(entryBodyField, entry);
  const expiresAtMs = body.expiresAt - WORLD_EPOCH_MS;
  if (call.beganMs <= expiresAtMs + apartMs) return undefined;
  return `${body.content} is read at ${call.beganMs} ms, although it expired at ${expiresAtMs} ms.`;
}

/**
 * Hidden too early: some acknowledged put, and everything that may have come after it, has not
 * expired at the end of the read.
 */
function tooEarly(call: FinishedCall, puts: readonly Put[], apartMs: number): string | undefined {
  const lives = (put: Put): boolean => put.expiresAtMs - apartMs > call.endedMs;
  const witness = puts.find(
    (put) =>
      put.acknowledged &&
      put.endedMs < call.beganMs &&
      puts.every(
        (other) => other.endedMs < put.beganMs || other.beganMs > call.endedMs || lives(other),
      ),
  );
  if (witness === undefined) return undefined;
  return `${call.key.key} is absent at ${call.endedMs} ms, although it expires at ${witness.expiresAtMs} ms.`;
}
