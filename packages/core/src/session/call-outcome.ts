import { failedResult } from '@memgrid/protocol';
import type { Applied, ErrorCode, ErrorDetails, FailedResult } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { Instant } from '../machine.ts';
import type { PlacementTable } from '../routing/placement-table.ts';
import { UNKNOWN_SHARD, type PendingCall } from './pending-call.ts';
import type { CallOutcome } from './session-io.ts';
import { silentShard } from './silent-shard.ts';

/**
 * Whether any attempt of a call can have been carried out. See DESIGN.md, Q4.
 *
 * An answer "not applied" speaks for one attempt only. While another one is on its way it may be
 * carried out later, even where the answered one was refused: by then its condition may hold.
 */
export function appliedOf(call: PendingCall): Applied {
  if (!call.write) return 'no';
  if (broken('session.unknown-stays-unknown')) return 'no';
  return call.lost || call.unanswered > 0 ? 'unknown' : 'no';
}

/** A failure that the session itself found. */
export function failureOf<Code extends ErrorCode>(
  code: Code,
  details: ErrorDetails[Code],
  call: {
    readonly operationId: string;
    readonly applied: Applied;
    /** Instead of the sentence of the code. */
    readonly message?: string | undefined;
  },
): CallOutcome {
  const { operationId, applied, message } = call;
  const result = failedResult(code, details, {
    applied,
    ...(message === undefined ? {} : { message }),
  });
  return outcomeOf(result, operationId, applied);
}

/** A failure that a node answered. */
export function outcomeOf(
  result: FailedResult,
  operationId: string,
  applied: Applied,
): CallOutcome {
  const { code, message, current } = result;
  const same = result.applied === applied;
  return {
    kind: 'failed',
    code,
    message,
    applied,
    operationId,
    current,
    result: same ? result : { ...result, applied },
  };
}

/** The caller's patience is over: it is told what is known of the shard that did not answer. */
export function timeoutOf(
  call: PendingCall,
  now: Instant,
  placement: PlacementTable | undefined,
): CallOutcome {
  const applied = appliedOf(call);
  const { operationId, lastFailure, options, shard } = call;
  const problem =
    placement === undefined || shard === UNKNOWN_SHARD ? undefined : silentShard(placement, shard);
  if (call.attempts === 0) {
    const waitedMs = Math.round(now - call.startedAt);
    return failureOf('NOT_CONNECTED', { waitedMs }, { operationId, applied: 'no' });
  }
  // What a node said last tells more than that time is up, unless another answer is still out.
  if (lastFailure !== undefined && call.unanswered === 0) {
    // Where to go instead was for this session; its caller cannot go anywhere.
    if (lastFailure.code === 'NOT_PRIMARY' && problem !== undefined) {
      const details = { shard, problem: `${problem}.` };
      return failureOf('SHARD_UNAVAILABLE', details, { operationId, applied });
    }
    return outcomeOf(lastFailure, operationId, applied);
  }
  // A caller may wait for half a millisecond; what travels is whole ones.
  const timeoutMs = Math.min(Math.ceil(options.timeoutMs), Number.MAX_SAFE_INTEGER);
  const message =
    problem === undefined
      ? undefined
      : `No answer came within ${timeoutMs} ms from shard ${shard}: ${problem}.`;
  return failureOf('TIMEOUT', { timeoutMs }, { operationId, applied, message });
}
