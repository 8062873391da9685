import {
  type Applied,
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  type Retry,
} from './error-codes.ts';
import { ERROR_SENTENCES } from './error-sentences.ts';

/** Registered globally, so that an error is recognised across two installed copies. */
const CLUSTER_ERROR: unique symbol = Symbol.for('memgrid.ClusterError');

export interface ClusterErrorOptions {
  /** What led to it. Stays in this process: it never travels. */
  readonly cause?: unknown;
  /** Instead of the sentence made from the details. */
  readonly message?: string;
  /** Instead of the table's; only for codes of a newer version. */
  readonly retry?: Retry;
  readonly applied?: Applied;
  /** Of the write that failed. */
  readonly operationId?: string | undefined;
}

/** The one error class of the public surface; `code` and `details` tell situations apart. */
export class ClusterError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'ClusterError';
  readonly code: Code;
  readonly details: ErrorDetails[Code];
  readonly retry: Retry;
  readonly applied: Applied;
  /**
   * Of a write that was given to the client: asking again with it gives the outcome of that write,
   * and never does it twice. Undefined for reads, and for what was refused before it was a write.
   */
  readonly operationId: string | undefined;

  constructor(code: Code, details: ErrorDetails[Code], options: ClusterErrorOptions = {}) {
    const message = options.message ?? ERROR_SENTENCES[code](details);
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = details;
    this.retry = options.retry ?? ERROR_CODES[code].retry;
    this.applied = options.applied ?? ERROR_CODES[code].applied;
    this.operationId = options.operationId;
  }

  get [CLUSTER_ERROR](): true {
    return true;
  }
}

/** A `ClusterError`, of that code when one is named, whichever copy of memgrid made it. */
export function isClusterError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is ClusterError<Code> {
  if (typeof error !== 'object' || error === null) return false;
  const branded = error as { readonly [CLUSTER_ERROR]?: unknown; readonly code?: unknown };
  return branded[CLUSTER_ERROR] === true && (code === undefined || branded.code === code);
}
