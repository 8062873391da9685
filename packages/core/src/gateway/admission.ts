import {
  decodeValue,
  encodeValue,
  entryBodyField,
  entryPatchField,
  failedResult,
  idContradictsOwner,
  shardOfEntry,
  WireError,
  type EntryBody,
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
      return admitEntry(operation, body, { entry: ruled.body, shardCount });
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
function admitEntry(
  operation: Operation,
  put: Put,
  { entry, shardCount }: { readonly entry: EntryBody; readonly shardCount: number },
): Admitted {
  const { userId, agentId, appId, runId } = entry;
  const { namespace, key } = put;
  const address = { namespace, userId, agentId, appId, runId, key };
  if (idContradictsOwner(address)) {
    return invalid(`id: "${put.key}" was made for an entry with another owner.`);
  }
  const shard = shardOfEntry(address, shardCount);
  if (shard !== operation.shard) {
    const problem = `the entry belongs in shard ${shard}, and shard ${operation.shard} was asked`;
    return { kind: 'failed', failure: failedResult('BAD_REQUEST', { problem }) };
  }
  const bytes = valueOf(() => encodeValue(entryBodyField, entry));
  if (typeof bytes === 'string') return invalid(bytes);
  return { kind: 'operation', operation: { ...operation, body: { ...put, entry: bytes } } };
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
