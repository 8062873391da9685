import type { StreamedEntry, StreamedOperation } from '@memgrid/protocol';
import { checksumOf } from '../request-fingerprint.ts';

/** Over everything that a chunk carries. */
export function chunkChecksum(
  entries: readonly StreamedEntry[],
  operations: readonly StreamedOperation[],
): number {
  return checksumOf([
    ...entries.flatMap(({ key, state }) => [key, state]),
    ...operations.flatMap(({ operationId, outcome }) => [operationId, outcome]),
  ]);
}
