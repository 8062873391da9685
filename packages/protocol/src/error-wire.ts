import { decodeValue, encodeValue } from './codec.ts';
import {
  type Applied,
  ERROR_CODES,
  type ErrorCode,
  errorCodeOf,
  type ErrorDetails,
  type Retry,
} from './error-codes.ts';
import { ClusterError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { countField, protocolVersionField } from './wire/counters.ts';
import { choice, type Field, list, optional, sentence, uint } from './wire/field.ts';
import { clusterIdField, nodeIdField } from './wire/id-field.ts';
import { listHeaderBytes, type WireValue } from './wire/msgpack.ts';
import { struct } from './wire/struct.ts';
import { expected, inside } from './wire/wire-error.ts';

const words = sentence(LIMITS.detailBytesMax);

/** The first ones, where there are more: a list of mistakes must not become one itself. */
const problems = fitted(list(words, LIMITS.problemsMax), LIMITS.problemsMax);

function fitted<T>(field: Field<readonly T[]>, countMax: number): Field<readonly T[]> {
  return {
    ...field,
    toWire: (values) => field.toWire(values.slice(0, countMax)),
    bytes: (values) => field.bytes(values.slice(0, countMax)),
  };
}

/** How the details of each code travel. */
export const ERROR_DETAIL_FIELDS: {
  readonly [Code in ErrorCode]: Field<ErrorDetails[Code]>;
} = {
  UNKNOWN_CODE: struct({ wire: uint(0xffff) }),
  NOT_COORDINATOR: struct({ hint: optional(nodeIdField) }),
  QUORUM_UNREACHABLE: struct({ acked: countField, needed: countField }),
  SCHEMA_CONFLICT: struct({ stored: countField, offered: countField }),
  NOT_FOUNDED: struct({ present: countField, expect: countField }),
  NO_COORDINATOR: struct({ waitedMs: countField }),
  TIMEOUT: struct({ timeoutMs: countField }),
  OVERLOADED: struct({ waiting: countField, max: countField }),
  SHUTTING_DOWN: struct({}),
  WRONG_CLUSTER: struct({ ours: clusterIdField, theirs: clusterIdField }),
  PROTOCOL_MISMATCH: struct({
    oursMin: protocolVersionField,
    oursMax: protocolVersionField,
    theirsMin: protocolVersionField,
    theirsMax: protocolVersionField,
  }),
  IDENTITY_IN_USE: struct({ nodeId: nodeIdField }),
  STALE_DIRECTORY: struct({ nodeId: nodeIdField, generation: countField, newest: countField }),
  EXPELLED: struct({ nodeId: nodeIdField }),
  BAD_MESSAGE: struct({ problem: words }),
  BAD_REQUEST: struct({ problem: words }),
  BAD_CONFIGURATION: struct({ problems }),
  DIRECTORY_LOCKED: struct({ directory: words, pid: optional(countField) }),
  DIRECTORY_CORRUPT: struct({ directory: words, problem: words }),
  ADDRESS_IN_USE: struct({ address: words }),
  MEMBER_NOT_FOUND: struct({ member: words }),
  FEATURE_PROHIBITED: struct({ feature: words }),
  VERSION_CONFLICT: struct({ current: optional(words) }),
  NOT_PRIMARY: struct({ shard: countField, hint: optional(nodeIdField) }),
  NO_PLACEMENT: struct({}),
  SHARD_UNAVAILABLE: struct({ shard: countField, problem: words }),
  OPERATION_EXPIRED: struct({ operationId: words }),
  OPERATION_REUSED: struct({ operationId: words }),
  ENTRY_TOO_LARGE: struct({ bytes: countField, max: countField }),
  INVALID_ENTRY: struct({ problems }),
  BAD_TOKEN: struct({ problem: words }),
  BAD_CURSOR: struct({ problem: words }),
  SHARD_UNKNOWN: struct({ id: words }),
  SCOPE_CONFLICT: struct({ id: words }),
  IMMUTABLE_ENTRY: struct({ id: words }),
  SCHEMA_UNKNOWN: struct({ schema: words, version: countField }),
  STORAGE_FULL: struct({ usedBytes: countField, maxBytes: countField }),
  ABORTED: struct({}),
  NOT_CONNECTED: struct({ waitedMs: countField }),
  CLOSED: struct({}),
  NOT_FOUND: struct({ id: words }),
};

const headField = struct<ErrorHead>({
  wire: uint(0xffff),
  // The table already says both for every code that the reader knows; they travel for the others.
  retry: choice<Retry>({ never: 1, here: 2, elsewhere: 3, later: 4 }),
  applied: choice<Applied>({ no: 1, unknown: 2, yes: 3 }),
  message: words,
});

interface ErrorHead {
  readonly wire: number;
  readonly retry: Retry;
  readonly applied: Applied;
  readonly message: string;
}

const HEAD_COUNT = 4;

/**
 * An error inside another message: number, what to do, what happened, sentence, details.
 *
 * A code that the reader does not know becomes `UNKNOWN_CODE` and keeps the sender's sentence,
 * `retry` and `applied`, so an older caller still does the right thing. `cause` stays behind.
 */
export const errorField: Field<ClusterError> = {
  shape: `error${headField.shape}`,
  optional: false,
  toWire: (error) => {
    const raw = headField.toWire(headOf(error)) as WireValue[];
    raw.push(detailsField(error.code).toWire(error.details));
    return raw;
  },
  fromWire: (raw) => {
    const head = headField.fromWire(raw);
    const known = errorCodeOf(head.wire);
    if (known === undefined) return new ClusterError('UNKNOWN_CODE', { wire: head.wire }, head);
    const details = detailsFromWire(known, (raw as readonly WireValue[])[HEAD_COUNT]);
    // Somebody in between did not know the code: what its first sender said still stands.
    const options = known === 'UNKNOWN_CODE' ? head : { message: head.message };
    return new ClusterError(known, details, options);
  },
  bytes: (error) =>
    headField.bytes(headOf(error)) -
    listHeaderBytes(HEAD_COUNT) +
    listHeaderBytes(HEAD_COUNT + 1) +
    detailsField(error.code).bytes(error.details),
};

export function encodeError(error: ClusterError): Uint8Array {
  return encodeValue(errorField, error);
}

/** @throws WireError when the bytes are no error; a code of a newer version is none. */
export function decodeError(bytes: Uint8Array): ClusterError {
  return decodeValue(errorField, bytes, 'error');
}

function headOf(error: ClusterError): ErrorHead {
  const { code, retry, applied, message } = error;
  if (!Object.hasOwn(ERROR_CODES, code)) throw expected('a known error code', code);
  return { wire: ERROR_CODES[code].wire, retry, applied, message };
}

function detailsField(code: ErrorCode): Field<ErrorDetails[ErrorCode]> {
  return ERROR_DETAIL_FIELDS[code] as Field<ErrorDetails[ErrorCode]>;
}

function detailsFromWire(code: ErrorCode, raw: WireValue | undefined): ErrorDetails[ErrorCode] {
  try {
    return detailsField(code).fromWire(raw);
  } catch (error) {
    throw inside(error, 'details');
  }
}
