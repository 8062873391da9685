import { failedResult } from '@memgrid/protocol';
import type { Applied, ErrorCode, ErrorDetails, FailedResult } from '@memgrid/protocol';
import { broken } from '#breaks';
import type { Instant } from '../machine.ts';
import type { PendingCall } from './pending-call.ts';
import type { CallOutcome } from './session-io.ts';

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
  call: { readonly operationId: string; readonly applied: Applied },
): CallOutcome {
  const { operationId, applied } = call;
  const result = failedResult(code, details, { applied });
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

/** The caller's patience is over. */
export function timeoutOf(call: PendingCall, now: Instant): CallOutcome {
  const applied = appliedOf(call);
  const { operationId, lastFailure, options } = call;
  if (call.attempts === 0) {
    const waitedMs = Math.round(now - call.startedAt);
    return failureOf('NOT_CONNECTED', { waitedMs }, { operationId, applied: 'no' });
  }
  // What a node said last tells more than that time is up, unless another answer is still out.
  if (lastFailure !== undefined && call.unanswered === 0) {
    return outcomeOf(lastFailure, operationId, applied);
  }
  // A caller may wait for half a millisecond; what travels is whole ones.
  const timeoutMs = Math.min(Math.ceil(options.timeoutMs), Number.MAX_SAFE_INTEGER);
  return failureOf('TIMEOUT', { timeoutMs }, { operationId, applied });
}
