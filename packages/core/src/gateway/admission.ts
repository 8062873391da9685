import {
  decodeValue,
  entryPatchField,
  failedResult,
  shardOfSlice,
  sliceOfEntry,
  sliceOfId,
  WireError,
  type EntryOwner,
  type FailedResult,
  type Operation,
} from '@memgrid/protocol';
import type { EntryAdmission } from './gateway-io.ts';

/** An operation that may go on to its shard, or why not. */
export type Admitted =
  | { readonly kind: 'operation'; readonly operation: Operation }
  | { readonly kind: 'failed'; readonly failure: FailedResult };

type Put = Extract<Operation['body'], { kind: 'put' }>;

/**
 * What is checked where an operation enters the cluster, once, and nowhere else: replicas store what
 * the primary made of it without another look.
 */
export function admit(operation: Operation, rules: EntryAdmission, shardCount: number): Admitted {
  const { body } = operation;
  switch (body.kind) {
    case 'put': {
      const ruled = rules.admitted(body.namespace, body.entry);
      if (ruled.kind === 'failed') return ruled;
      const problem = placeProblem(operation, body, { owner: ruled.owner, shardCount });
      if (problem !== undefined) return { kind: 'failed', failure: problem };
      if (ruled.entry === body.entry) return { kind: 'operation', operation };
      return {
        kind: 'operation',
        operation: { ...operation, body: { ...body, entry: ruled.entry } },
      };
    }
    case 'update': {
      const patch = valueOf(() => decodeValue(entryPatchField, body.patch, 'patch'));
      return typeof patch === 'string' ? invalid(patch) : { kind: 'operation', operation };
    }
    default:
      return { kind: 'operation', operation };
  }
}

/** An entry in the wrong shard would never be found again. */
function placeProblem(
  operation: Operation,
  { namespace, key }: Put,
  { owner, shardCount }: { readonly owner: EntryOwner; readonly shardCount: number },
): FailedResult | undefined {
  const { userId, agentId, appId, runId } = owner;
  const address = { namespace, userId, agentId, appId, runId, key };
  const slice = sliceOfEntry(address);
  const carried = sliceOfId(key);
  if (carried !== undefined && carried !== slice) {
    const problem = `id: "${key}" was made for an entry with another owner.`;
    return failedResult('INVALID_ENTRY', { problems: [problem] });
  }
  const shard = shardOfSlice(slice, shardCount);
  if (shard === operation.shard) return undefined;
  const problem = `the entry belongs in shard ${shard}, and shard ${operation.shard} was asked`;
  return failedResult('BAD_REQUEST', { problem });
}

function invalid(problem: string): Admitted {
  return { kind: 'failed', failure: failedResult('INVALID_ENTRY', { problems: [problem] }) };
}

/** The value, or in a sentence why there is none. */
function valueOf<T>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}
