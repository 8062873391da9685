import type { FailedResult } from '@memgrid/protocol';
import { failedResult } from '@memgrid/protocol';
import { operationMs } from './operation-id-words.ts';
import type { RememberedOperations } from './remembered-operations.ts';
import type { ShardContext } from './shard-context.ts';

/** An id of the future would be remembered for too long; clients set their clocks by their nodes. */
const FUTURE_MS_MAX = 60_000;

/**
 * Why an id that nobody here remembers must not be carried out: it may have been forgotten, so this
 * could be the second time. Undefined when it may. See DESIGN.md, F16.
 */
export function ageRefusal(
  context: ShardContext,
  operations: RememberedOperations,
  operationId: string,
): FailedResult | undefined {
  const { wallMs, config } = context;
  const ms = operationMs(operationId);
  const forgottenMs = Math.max(operations.floor, wallMs - config.operationWindowMs);
  if (ms === undefined || ms > context.presentMs + FUTURE_MS_MAX) {
    const problem = `The operation id ${operationId} is no UUID of version 7 of about now.`;
    return failedResult('BAD_REQUEST', { problem });
  }
  return ms <= forgottenMs ? failedResult('OPERATION_EXPIRED', { operationId }) : undefined;
}
