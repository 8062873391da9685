import { decodeValue, encodeValue } from '../codec.ts';
import { dottedVersionSetField } from '../causality/dotted-version-set.ts';
import { LIMITS } from '../limits.ts';
import { entryVersionField, operationIdField, scopePartField } from '../messages/operations.ts';
import { countField } from '../wire/counters.ts';
import {
  bool,
  bytes,
  checked,
  choice,
  type Field,
  list,
  optional,
  text,
  uint,
} from '../wire/field.ts';
import { name } from '../wire/name-field.ts';
import { extensible, type FieldsOf, struct, union } from '../wire/struct.ts';
import { unrolledEntryBody } from './entry-body-unrolled.ts';
import { timestampField } from '../wire/timestamp-field.ts';
import { expected } from '../wire/wire-error.ts';
import type {
  EntryBody,
  EntryState,
  JsonObject,
  RecordBody,
  StoredWrite,
  Superseded,
  UpstreamState,
} from './entry.ts';
import { jsonObjectField } from './json-field.ts';

const category = name(0, LIMITS.categoryBytesMax);
const upstreamId = text(LIMITS.upstreamIdBytesMax);

const content = checked(
  text(LIMITS.contentBytesMax),
  `content(${LIMITS.contentBytesMax})`,
  (value) => {
    if (value.includes('\0')) throw expected('text without NUL', value);
  },
);

const supersededField = struct<Superseded>({ content, timestamp: timestampField });

const entryBodyParts: FieldsOf<EntryBody> = {
  userId: scopePartField,
  agentId: scopePartField,
  appId: scopePartField,
  runId: scopePartField,
  content,
  category,
  categories: list(category, LIMITS.categoriesMax),
  metadata: jsonObjectField(LIMITS.metadataBytesMax),
  createdAt: countField,
  updatedAt: countField,
  expiresAt: countField,
  immutable: bool,
  schema: name(0, LIMITS.schemaNameBytesMax),
  schemaVersion: countField,
  checksum: name(0, 16),
  upstreamId,
  upstreamState: choice<UpstreamState>({ none: 1, queued: 2, synced: 3, refused: 4 }),
  upstreamHash: upstreamId,
  upstreamConfirmedAt: countField,
  superseded: list(supersededField, LIMITS.supersededMax),
};

/**
 * One entry. `encodeEntry` and `decodeEntry` also hold it to `entryBytesMax`, as does every message
 * that carries one.
 */
export const entryBodyField: Field<EntryBody> = unrolledEntryBody(
  extensible<EntryBody>(entryBodyParts),
  entryBodyParts,
);

const storedWriteField: Field<StoredWrite> = extensible<StoredWrite>({
  kind: choice<StoredWrite['kind']>({ put: 1, update: 2, delete: 3 }),
  timestamp: timestampField,
  expiresAt: countField,
  autonomous: bool,
  entry: bytes(0, LIMITS.entryBytesMax),
});

/** All that a replica knows of one key. Equal states are equal bytes. */
export const entryStateField: Field<EntryState> = dottedVersionSetField(storedWriteField);

/** What a record of a shard's log does. */
export const recordBodyField: Field<RecordBody> = union<RecordBody>({
  write: {
    number: 1,
    fields: {
      key: text(LIMITS.namespaceBytesMax + 1 + LIMITS.entryIdBytesMax),
      state: bytes(1, LIMITS.entryStateBytesMax),
      operationId: operationIdField,
      timestamp: timestampField,
      answeredEarly: bool,
      fingerprint: uint(0xffffffff),
      version: optional(entryVersionField),
    },
  },
  activate: { number: 2, fields: {} },
  collect: { number: 3, fields: { upTo: countField, timestamp: timestampField } },
});

/** A JSON merge patch over an entry, as an `update` carries it. */
export const entryPatchField: Field<JsonObject> = jsonObjectField(
  LIMITS.entryBytesMax,
  // Metadata is one level down in it.
  LIMITS.jsonDepthMax + 1,
);

/**
 * One entry to the bytes that every message and every store carries.
 *
 * @throws WireError when the entry breaks a rule, or is larger than `entryBytesMax` as a whole.
 */
export function encodeEntry(body: EntryBody): Uint8Array {
  const encoded = encodeValue(entryBodyField, body);
  if (encoded.length > LIMITS.entryBytesMax) {
    throw expected(`at most ${LIMITS.entryBytesMax} bytes`, encoded).inside('entry');
  }
  return encoded;
}

/** @throws WireError unless `encoded` is exactly one entry that keeps all rules of entries. */
export function decodeEntry(encoded: Uint8Array): EntryBody {
  return decodeValue(entryBodyField, encoded, 'entry');
}

/** @throws WireError */
export function decodePatch(encoded: Uint8Array): JsonObject {
  return decodeValue(entryPatchField, encoded, 'patch');
}
