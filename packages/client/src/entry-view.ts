import { decodeValue, entryBodyField, formatVersion } from '@memgrid/protocol';
import type { EntryBody, FoundEntry } from '@memgrid/protocol';
import type { Entry, EntryShape, Found } from './entry.ts';

/** An entry as the application sees it. */
export function entryOf<Shape extends EntryShape>(
  namespace: string,
  id: string,
  bytes: Uint8Array,
): Entry<Shape> {
  const body: EntryBody = decodeValue(entryBodyField, bytes, 'entry');
  return {
    id,
    namespace,
    userId: presentOf(body.userId),
    agentId: presentOf(body.agentId),
    appId: presentOf(body.appId),
    runId: presentOf(body.runId),
    content: body.content,
    category: body.category,
    categories: body.categories,
    metadata: body.metadata,
    createdAt: body.createdAt,
    updatedAt: body.updatedAt,
    expiresAt: body.expiresAt === 0 ? undefined : body.expiresAt,
    immutable: body.immutable,
    schema: body.schema === '' ? undefined : { name: body.schema, version: body.schemaVersion },
    checksum: body.checksum,
    upstream: {
      state: body.upstreamState,
      id: presentOf(body.upstreamId),
      hash: presentOf(body.upstreamHash),
      confirmedAt: body.upstreamConfirmedAt === 0 ? undefined : body.upstreamConfirmedAt,
    },
    superseded: body.superseded.map(({ content, timestamp }) => ({ content, at: timestamp.ms })),
  };
}

/** What is the same of an entry however it was found. */
export function foundOf<Shape extends EntryShape>(
  namespace: string,
  { key, entry: bytes, version }: FoundEntry,
): { entry: Entry<Shape>; version: string; upstream: Entry['upstream']['state'] } {
  const entry = entryOf<Shape>(namespace, key, bytes);
  return { entry, version: formatVersion(version), upstream: entry.upstream.state };
}

/** An entry of the near cache: the same object for everybody, so nobody can change it. */
export function frozenFound(namespace: string, found: FoundEntry, stalenessMs: number): Found {
  const { entry, version, upstream } = foundOf(namespace, found);
  return frozen({ entry, version, source: 'near', stalenessMs, upstream });
}

/** With all that is in it. Stored metadata is at most 32 levels deep. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}

function presentOf(text: string): string | undefined {
  return text === '' ? undefined : text;
}
