import { decodeValue, encodeValue } from './codec.ts';
import { type Applied, ERROR_CODES, type ErrorCode, type ErrorDetails } from './error-codes.ts';
import { ERROR_SENTENCES } from './error-sentences.ts';
import { ERROR_DETAIL_FIELDS } from './error-detail-fields.ts';
import { ClusterError } from './errors.ts';
import type { NodeId } from './ids.ts';
import type { EntryVersion, OperationResult } from './messages/operations.ts';
import type { Field } from './wire/field.ts';
import { WireError } from './wire/wire-error.ts';

export type FailedResult = Extract<OperationResult, { readonly kind: 'failed' }>;

export interface FailureOptions {
  /** Instead of the sentence made from the details. */
  readonly message?: string;
  /** Instead of the table's, where this case is known better. */
  readonly applied?: Applied;
  /** Who to ask. */
  readonly hint?: NodeId | undefined;
  /** The stored version, when a condition did not hold. */
  readonly current?: EntryVersion | undefined;
}

/**
 * The answer to an operation that failed: a `ClusterError` without its price. An `Error` takes a
 * stack trace, and a workload of compare-and-set fails thousands of times a second.
 */
export function failedResult<Code extends ErrorCode>(
  code: Code,
  details: ErrorDetails[Code],
  options: FailureOptions = {},
): FailedResult {
  return {
    kind: 'failed',
    code,
    message: options.message ?? ERROR_SENTENCES[code](details),
    hint: options.hint,
    applied: options.applied ?? ERROR_CODES[code].applied,
    current: options.current,
    details: encodeValue<ErrorDetails[Code]>(ERROR_DETAIL_FIELDS[code], details),
  };
}

/**
 * The same for a caller: thrown by whoever asked.
 *
 * @param operationId of the write that failed; undefined for a read.
 */
export function errorOfResult(failed: FailedResult, operationId?: string): ClusterError {
  const { code, message, applied } = failed;
  try {
    const field = ERROR_DETAIL_FIELDS[code] as Field<ErrorDetails[ErrorCode]>;
    const details = decodeValue(field, failed.details, 'details');
    return new ClusterError(code, details, { message, applied, operationId });
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const { message: problem } = error;
    return new ClusterError('BAD_MESSAGE', { problem }, { applied, operationId, cause: error });
  }
}
