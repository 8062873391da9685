import { encodeValue } from '../codec.ts';
import { LIMITS } from '../limits.ts';
import { MEMORY_CATEGORIES } from '../schema/memory-schema.ts';
import { canonicalJson } from './canonical-json.ts';
import type { EntryBody, JsonObject, JsonValue } from './entry.ts';
import { entryChecksum } from './entry-checksum.ts';
import { entryPatchField } from './entry-fields.ts';
import { EntryValues, type Normalised } from './entry-values.ts';
import { mergePatch } from './merge-patch.ts';
import { utf8Bytes } from '../wire/utf8.ts';
import { type EntryProblem, excerptOf, ProblemList } from './problem-list.ts';
import type { EntryContext } from './validate-entry.ts';

/** What an update may change, and a patch may name. */
const FIELDS: ReadonlySet<string> = new Set([
  'content',
  'category',
  'categories',
  'metadata',
  'expiresAt',
]);

/** A valid patch, ready to be sent, or everything that is wrong with it. */
export type ValidatedPatch =
  | {
      readonly kind: 'patch';
      readonly patch: JsonObject;
      /** The patch as `entryPatchField` writes it. */
      readonly bytes: Uint8Array;
      readonly normalised: readonly Normalised[];
    }
  | { readonly kind: 'invalid'; readonly problems: readonly EntryProblem[] };

/**
 * The JSON merge patch that a caller means, whatever the caller gave. Never throws.
 *
 * What is absent or undefined stays; `null` removes what an entry may lack: category, categories,
 * metadata, names in metadata, and the expiry. See DESIGN.md, D6.
 */
export function validatePatch(
  input: unknown,
  context: Pick<EntryContext, 'nowMs' | 'categories'>,
): ValidatedPatch {
  const values = new EntryValues();
  const fields = values.fields(input, '', FIELDS);
  const patch: Record<string, JsonValue> = {};
  for (const [name, value] of fields) {
    if (value === undefined || !FIELDS.has(name)) continue;
    patch[name] =
      value === null && name !== 'content' ? null : fieldOf(name, value, values, context);
  }
  if (values.problems.isEmpty && Object.keys(patch).length === 0) {
    values.problems.add('', `at least one of ${[...FIELDS].join(', ')}`, excerptOf(input));
  }
  const { problems, normalised } = values;
  if (problems.isEmpty) checkSize(patch, problems);
  if (!problems.isEmpty) return { kind: 'invalid', problems: problems.problems };
  return { kind: 'patch', patch, bytes: encodeValue(entryPatchField, patch), normalised };
}

/** Content of many control characters takes six times its size as JSON. */
function checkSize(patch: JsonObject, problems: ProblemList): void {
  const bytes = entryPatchField.bytes(patch);
  if (bytes <= LIMITS.entryBytesMax) return;
  problems.add('', `at most ${LIMITS.entryBytesMax} bytes as JSON`, `${bytes} bytes`);
}

function fieldOf(
  name: string,
  value: unknown,
  values: EntryValues,
  context: Pick<EntryContext, 'nowMs' | 'categories'>,
): JsonValue {
  switch (name) {
    case 'content':
      return values.content(value);
    case 'category':
      return values.category(value, context.categories ?? MEMORY_CATEGORIES);
    case 'categories':
      return values.categories(value);
    case 'metadata':
      return values.metadata(value);
    default:
      return values.expiry(value, context.nowMs);
  }
}

/** An entry after an update, or why it cannot be one. */
export type PatchedEntry =
  | { readonly kind: 'entry'; readonly body: EntryBody }
  /** The entry was stored as one that never changes. */
  | { readonly kind: 'immutable' }
  | { readonly kind: 'invalid'; readonly problems: readonly EntryProblem[] };

/**
 * The entry that a valid patch makes of another: merged, with a new checksum and `updatedAt`. The
 * patch came over the wire, so what it names is checked again.
 */
export function patchEntry(
  body: EntryBody,
  patch: JsonObject,
  context: Pick<EntryContext, 'nowMs' | 'categories'>,
): PatchedEntry {
  if (body.immutable) return { kind: 'immutable' };
  // An expiry that passed on the way is no mistake of the writer's.
  const checked = validatePatch(patch, { ...context, nowMs: 0 });
  if (checked.kind === 'invalid') return checked;
  const { content, category, categories, metadata, expiresAt } = body;
  const before = { content, category, categories, metadata, expiresAt };
  const merged = mergePatch(before, checked.patch) as Partial<typeof before>;
  const said = { content, category: '', categories: [], metadata: {}, ...merged };
  const bytes = utf8Bytes(canonicalJson(said.metadata));
  if (bytes > LIMITS.metadataBytesMax) {
    const problems = new ProblemList();
    const expected = `at most ${LIMITS.metadataBytesMax} bytes as JSON when merged`;
    problems.add('metadata', expected, `${bytes} bytes`);
    return { kind: 'invalid', problems: problems.problems };
  }
  const changes = { ...said, expiresAt: merged.expiresAt ?? 0, checksum: entryChecksum(said) };
  return { kind: 'entry', body: { ...body, ...changes, updatedAt: context.nowMs } };
}
