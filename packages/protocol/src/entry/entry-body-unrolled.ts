import { LIMITS } from '../limits.ts';
import type { Field } from '../wire/field.ts';
import { type FieldsOf, unrolled } from '../wire/struct.ts';
import { UNREAD, type WireReader } from '../wire/wire-reader.ts';
import type { EntryBody } from './entry.ts';

/** The properties of an entry; more are of a newer version. */
const FIELDS = 20;

/** The reading of entries written out: see `unrolled`. A client reads one with every get. */
export function unrolledEntryBody(
  general: Field<EntryBody>,
  parts: FieldsOf<EntryBody>,
): Field<EntryBody> {
  const { userId, agentId, appId, runId, content, category, categories, metadata } = parts;
  const { schema, checksum, upstreamId, upstreamState, upstreamHash, superseded } = parts;
  const part = (from: WireReader, field: Field<string>): string =>
    from.plainName(0, LIMITS.scopePartBytesMax) ?? field.read(from);
  return unrolled(general, {
    write: (body, to) => general.write(body, to),
    read: (from) => {
      if (from.list() !== FIELDS) throw UNREAD;
      return {
        userId: part(from, userId),
        agentId: part(from, agentId),
        appId: part(from, appId),
        runId: part(from, runId),
        content: content.read(from),
        category: from.plainName(0, LIMITS.categoryBytesMax) ?? category.read(from),
        categories: categories.read(from),
        metadata: metadata.read(from),
        createdAt: from.count(),
        updatedAt: from.count(),
        expiresAt: from.count(),
        immutable: from.boolean(),
        schema: schema.read(from),
        schemaVersion: from.count(),
        checksum: checksum.read(from),
        upstreamId: upstreamId.read(from),
        upstreamState: upstreamState.read(from),
        upstreamHash: upstreamHash.read(from),
        upstreamConfirmedAt: from.count(),
        superseded: superseded.read(from),
      };
    },
  });
}
