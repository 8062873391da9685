import { encodeValue } from '../codec.ts';
import { LIMITS } from '../limits.ts';
import type { ShardAddress } from '../placement/shard.ts';
import { MEMORY_CATEGORIES } from '../schema/memory-schema.ts';
import type { EntryBody } from './entry.ts';
import { entryChecksum } from './entry-checksum.ts';
import { entryBodyField } from './entry-fields.ts';
import { idContradictsOwner } from './entry-shard.ts';
import { type AllowedCategories, EntryValues, type Normalised } from './entry-values.ts';
import { type EntryProblem, excerptOf, type ProblemList } from './problem-list.ts';

/** What an entry is checked against, besides the rules of all entries. */
export interface EntryContext {
  readonly namespace: string;
  /** The cluster's time, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Those of the built-in schema unless told; `any` where a schema of its own decides. */
  readonly categories?: AllowedCategories;
  /** For an entry that names none; none unless told. */
  readonly schema?: { readonly name: string; readonly version: number };
}

/** A valid entry, ready to be sent, or everything that is wrong with it. */
export type ValidatedEntry =
  | {
      readonly kind: 'entry';
      /** Undefined: memgrid makes one. */
      readonly id: string | undefined;
      readonly body: EntryBody;
      /** The body as `entryBodyField` writes it. */
      readonly bytes: Uint8Array;
      readonly normalised: readonly Normalised[];
    }
  | { readonly kind: 'invalid'; readonly problems: readonly EntryProblem[] };

const FIELDS: ReadonlySet<string> = new Set([
  'id',
  'userId',
  'agentId',
  'appId',
  'runId',
  'content',
  'category',
  'categories',
  'metadata',
  'expiresAt',
  'ttlMs',
  'immutable',
  'schema',
]);

const SCHEMA_FIELDS: ReadonlySet<string> = new Set(['name', 'version']);

/**
 * The entry that a caller means, whatever the caller gave. Never throws; every problem is reported
 * with its path, the value and the limit. See DESIGN.md, D1 to D5.
 *
 * A property that is undefined counts as absent.
 */
export function validateEntry(input: unknown, context: EntryContext): ValidatedEntry {
  const values = new EntryValues();
  const fields = values.fields(input, '', FIELDS);
  const namespace = values.name('namespace', context.namespace, LIMITS.namespaceBytesMax);
  const given = fields.get('id');
  const id = given === undefined ? given : values.name('id', given, LIMITS.entryIdBytesMax);
  const body = bodyOf(fields, values, context);
  const { problems, normalised } = values;
  if (problems.isEmpty) checkPlace({ ...body, namespace, key: id ?? '' }, problems);
  if (!problems.isEmpty) return { kind: 'invalid', problems: problems.problems };
  return { kind: 'entry', id, body, bytes: encodeValue(entryBodyField, body), normalised };
}

function checkPlace(address: ShardAddress, problems: ProblemList): void {
  if (!idContradictsOwner(address)) return;
  const expected = 'an id that is no UUID of version 8, or one that memgrid made for this owner';
  problems.add('id', expected, excerptOf(address.key));
}

function bodyOf(
  fields: ReadonlyMap<string, unknown>,
  values: EntryValues,
  context: EntryContext,
): EntryBody {
  const { nowMs, categories: allowed = MEMORY_CATEGORIES } = context;
  const owner = (name: string): string => {
    const value = fields.get(name);
    return value === undefined ? '' : values.name(name, value, LIMITS.scopePartBytesMax);
  };
  const given = <T>(name: string, read: (value: unknown) => T, absent: T): T => {
    const value = fields.get(name);
    return value === undefined ? absent : read(value);
  };
  const said = {
    content: values.content(fields.get('content')),
    category: given('category', (value) => values.category(value, allowed), ''),
    categories: given('categories', (value) => values.categories(value), []),
    metadata: given('metadata', (value) => values.metadata(value), {}),
  };
  const schema = schemaOf(fields.get('schema'), values) ?? context.schema;
  return {
    userId: owner('userId'),
    agentId: owner('agentId'),
    appId: owner('appId'),
    runId: owner('runId'),
    ...said,
    createdAt: nowMs,
    updatedAt: nowMs,
    expiresAt: expiryOf(fields, values, nowMs),
    immutable: given('immutable', (value) => values.flag('immutable', value), false),
    schema: schema?.name ?? '',
    schemaVersion: schema?.version ?? 0,
    checksum: entryChecksum(said),
    upstreamId: '',
    upstreamState: 'none',
    upstreamHash: '',
    upstreamConfirmedAt: 0,
    superseded: [],
  };
}

function expiryOf(
  fields: ReadonlyMap<string, unknown>,
  values: EntryValues,
  nowMs: number,
): number {
  const expiresAt = fields.get('expiresAt');
  const ttlMs = fields.get('ttlMs');
  if (expiresAt !== undefined && ttlMs !== undefined) {
    values.problems.add('ttlMs', 'nothing beside expiresAt', excerptOf(ttlMs));
  }
  if (expiresAt !== undefined) return values.expiry(expiresAt, nowMs);
  return ttlMs === undefined ? 0 : values.timeToLive(ttlMs, nowMs);
}

function schemaOf(value: unknown, values: EntryValues): EntryContext['schema'] {
  if (value === undefined) return undefined;
  const fields = values.fields(value, 'schema', SCHEMA_FIELDS);
  return {
    name: values.name('schema.name', fields.get('name'), LIMITS.schemaNameBytesMax),
    version: values.count('schema.version', fields.get('version'), Number.MAX_SAFE_INTEGER),
  };
}
