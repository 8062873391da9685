import type { ErrorCode, ErrorDetails } from './error-codes.ts';
import { LIMITS } from './limits.ts';
import { countField, protocolVersionField } from './wire/counters.ts';
import { type Field, list, optional, sentence, uint } from './wire/field.ts';
import { clusterIdField, nodeIdField } from './wire/id-field.ts';
import { struct } from './wire/struct.ts';

const words = sentence(LIMITS.detailBytesMax);

/** The first ones, where there are more: a list of mistakes must not become one itself. */
const problems = fitted(list(words, LIMITS.problemsMax), LIMITS.problemsMax);

function fitted<T>(field: Field<readonly T[]>, countMax: number): Field<readonly T[]> {
  return {
    ...field,
    toWire: (values) => field.toWire(values.slice(0, countMax)),
    bytes: (values) => field.bytes(values.slice(0, countMax)),
    write: (values, to) => field.write(values.slice(0, countMax), to),
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
