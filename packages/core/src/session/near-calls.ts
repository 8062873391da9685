import type { Answer } from '@memgrid/protocol';
import type { Instant } from '../machine.ts';
import { shardOfCall } from './call-shard.ts';
import type { NearCache } from './near-cache.ts';
import type { PendingCall } from './pending-call.ts';
import type { Call, CallOutcome } from './session-io.ts';

/** What the near cache answers to a call; undefined when the cluster has to be asked. */
export function nearOutcome(
  nearCache: NearCache,
  call: Call,
  { shardCount, now }: { readonly shardCount: number; readonly now: Instant },
): CallOutcome | undefined {
  const { body, options, scope } = call;
  if (body.kind !== 'get' || options.read !== 'one') return undefined;
  if (options.schemaVersion !== undefined) return undefined;
  const hit = nearCache.get(body.namespace, body.key, now);
  if (hit === undefined) return undefined;
  // The same id may name an entry of another owner, elsewhere.
  if (scope !== undefined && shardOfCall(call, shardCount) !== hit.shard.shard) return undefined;
  const stalenessMs = nearCache.stalenessMs(hit, now);
  if (stalenessMs > options.maxStalenessMs) return undefined;
  return { kind: 'near', found: hit.found, stalenessMs };
}

/** What the near cache learns from an answer. */
export function noteNear(
  nearCache: NearCache,
  { source, shard }: PendingCall,
  { result, position }: Answer,
  now: Instant,
): void {
  const { body } = source;
  if (body.kind === 'list') return;
  if (result.kind === 'written') nearCache.wrote(shard, body.key, position.index);
  // In another version than others are shown it is of no use to them.
  else if (result.kind === 'found' && source.options.schemaVersion === undefined) {
    nearCache.fill(body.namespace, result.found, { shard, index: position.index }, now);
  }
}
