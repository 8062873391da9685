import type { Answer, FoundEntry, Operation, OperationResult } from '@memgrid/protocol';

/** Numbers, kinds and headers of one operation or answer, and some room for new fields. */
const FRAME_BYTES = 256;
/** The longest encoding of one UTF-16 code unit. */
const UNIT_BYTES = 3;

/** At least the encoded size of an operation; quick to tell, because it never looks at texts. */
export function operationWeight({
  body,
  operationId,
}: Pick<Operation, 'body' | 'operationId'>): number {
  const bytes = FRAME_BYTES + UNIT_BYTES * operationId.length;
  switch (body.kind) {
    case 'put':
      return bytes + addressWeight(body) + body.entry.length;
    case 'update':
      return bytes + addressWeight(body) + body.patch.length;
    case 'delete':
    case 'get':
    case 'history':
      return bytes + addressWeight(body);
    case 'list': {
      const { namespace, userId, agentId, appId, runId } = body.scope;
      const texts = [namespace, userId, agentId, appId, runId, body.after];
      return bytes + texts.reduce((sum, text) => sum + UNIT_BYTES * text.length, 0);
    }
  }
}

/** Half of what a page or a history may have: most are far smaller. */
const PAGE_BYTES = 512 * 1024;
/** An ordinary entry, with some room. */
const FOUND_BYTES = 1_024;

/**
 * What an operation costs the node until it is answered: itself, and room for its answer. Without the
 * latter a thousand questions of a few bytes could ask for a gigabyte at once.
 */
export function operationLoad(operation: Operation): number {
  const bytes = operationWeight(operation);
  switch (operation.body.kind) {
    case 'list':
      return bytes + (operation.body.countOnly ? 0 : PAGE_BYTES);
    case 'history':
      return bytes + PAGE_BYTES;
    case 'get':
      return bytes + FOUND_BYTES;
    default:
      return bytes;
  }
}

/** At least the encoded size of an answer. */
export function answerWeight({ result }: Answer): number {
  return FRAME_BYTES + resultWeight(result);
}

function resultWeight(result: OperationResult): number {
  switch (result.kind) {
    case 'written':
    case 'absent':
      return 0;
    case 'found':
      return foundWeight(result.found);
    case 'listed':
      return result.entries.reduce((sum, found) => sum + foundWeight(found), 0);
    case 'history':
      return result.steps.reduce((sum, { entry }) => sum + FRAME_BYTES + entry.length, 0);
    case 'failed':
      return UNIT_BYTES * result.message.length + (result.details?.length ?? 0);
  }
}

function foundWeight({ key, entry }: FoundEntry): number {
  return FRAME_BYTES + UNIT_BYTES * key.length + entry.length;
}

function addressWeight({ namespace, key }: { namespace: string; key: string }): number {
  return UNIT_BYTES * (namespace.length + key.length);
}
