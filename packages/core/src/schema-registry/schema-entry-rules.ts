import {
  decodeValue,
  encodeValue,
  entryBodyField,
  entryChecksum,
  entryPatchField,
  problemText,
  failedResult,
  inSchema,
  MEMORY_CATEGORIES,
  MEMORY_SCHEMA,
  migrate,
  patchEntry,
  schemaProblemText,
  schemaRoute,
  stashProblems,
  usualEntryIn,
  validatedValue,
  WireError,
  type EntryBody,
  type EntryDocument,
  type EntrySchema,
  type FailedResult,
  type JsonObject,
  type SchemaProblem,
  type UsualEntry,
} from '@memgrid/protocol';
import { schemaNamedIn } from '../entries/entry-bytes.ts';
import type { EntryAdmission } from '../gateway/gateway-io.ts';
import type { EntryRules } from '../shards/shards-io.ts';
import type { SchemaRegistry } from './schema-registry.ts';

/** Everything that is wrong with a value, or nothing. Cheap: called for every write. */
export type SchemaValidator = (value: JsonObject) => readonly SchemaProblem[];

/**
 * Makes a validator of a body that `parseSchema` accepts.
 *
 * @throws RangeError for what only shows when it is compiled, such as a pattern that is none.
 */
export type CompileSchema = (body: JsonObject) => SchemaValidator;

export interface SchemaEntryRulesOptions {
  /** The registry as it is now. */
  readonly registry: () => SchemaRegistry;
  readonly compile: CompileSchema;
}

const IMMUTABLE = 'immutable: the entry was stored as immutable, so it can only be deleted.';

/** An entry in the form in which it is stored or shown, or why there is none. */
export type RuledEntry =
  | { readonly kind: 'entry'; readonly body: EntryBody }
  | { readonly kind: 'failed'; readonly failure: FailedResult };

type AdmittedEntry = ReturnType<EntryAdmission['admitted']>;

/** An entry as a caller is shown it, or why it cannot be. */
export type ShownEntry =
  | { readonly kind: 'entry'; readonly entry: Uint8Array }
  | { readonly kind: 'failed'; readonly failure: FailedResult };

/** Compiled validators that are kept. */
const VALIDATORS_MAX = 256;

/**
 * What a stored entry has to satisfy: the schema of its namespace, in the committed version.
 * See DESIGN.md.
 */
export class SchemaEntryRules implements EntryRules, EntryAdmission {
  readonly #registry: () => SchemaRegistry;
  readonly #compile: CompileSchema;
  readonly #validators = new Map<EntrySchema, SchemaValidator>();

  constructor({ registry, compile }: SchemaEntryRulesOptions) {
    this.#registry = registry;
    this.#compile = compile;
  }

  /** A new entry as it is stored: in the committed version of its namespace's schema, and valid. */
  admitted(namespace: string, entry: Uint8Array): AdmittedEntry {
    return this.#usual(namespace, entry) ?? this.#decoded(namespace, entry);
  }

  /**
   * Nearly every entry is one of the built-in schema in its only version, which asks for nothing
   * that the bytes do not show. Undefined for any other.
   */
  #usual(namespace: string, bytes: Uint8Array): AdmittedEntry | undefined {
    const registry = this.#registry();
    const { name, version } = MEMORY_SCHEMA;
    if (registry.schemaOf(namespace) !== name || registry.committed(name) !== version) {
      return undefined;
    }
    const entry = usualEntryIn(bytes);
    if (entry === undefined || !isMemory(entry)) return undefined;
    return { kind: 'entry', entry: inSchema(entry, name, version), owner: entry.owner };
  }

  #decoded(namespace: string, entry: Uint8Array): AdmittedEntry {
    const body = decodeEntry(entry);
    if (typeof body === 'string') return invalid([body]);
    const name = this.#registry().schemaOf(namespace);
    if (body.schema !== '' && body.schema !== name) {
      return invalid([
        `schema: namespace "${namespace}" follows the schema ${name}, not ${body.schema}.`,
      ]);
    }
    const stashed = stashProblems(body.metadata);
    if (stashed.length > 0) return invalid(stashed.map(schemaProblemText));
    const checksum = entryChecksum(body);
    if (body.checksum !== checksum) {
      return invalid([
        `checksum: "${body.checksum}" is not that of the entry as it arrived, ${checksum}.`,
      ]);
    }
    const ruled = this.#ruled({ ...body, schema: name });
    if (ruled.kind === 'failed') return ruled;
    const bytes = encoded(ruled.body);
    if (bytes.kind === 'problems') return invalid(bytes.problems);
    return { kind: 'entry', entry: bytes.entry, owner: ruled.body };
  }

  patched(
    entry: Uint8Array,
    patch: Uint8Array,
    nowMs: number,
    schemaVersion?: number,
  ): ReturnType<EntryRules['patched']> {
    const body = decodeEntry(entry);
    if (typeof body === 'string') return problems(body);
    const changes = decodePatch(patch);
    if (typeof changes === 'string') return problems(changes);
    // The entry is brought to the version of which the patch speaks, and from there to the committed.
    const spoken =
      schemaVersion === undefined ? this.#committed(body) : this.readAs(body, schemaVersion);
    if (spoken.kind === 'failed') return problems(spoken.failure.message);
    const patched = patchEntry(spoken.body, changes, { nowMs, categories: 'any' });
    if (patched.kind === 'immutable') return problems(IMMUTABLE);
    if (patched.kind === 'invalid') return problems(...patched.problems.map(problemText));
    const stashed = stashProblems(patched.body.metadata);
    if (stashed.length > 0) return problems(...stashed.map(schemaProblemText));
    const current = this.#committed(patched.body);
    if (current.kind === 'failed') return problems(current.failure.message);
    const found = this.#problems(current.body);
    return found.length > 0 ? problems(...found.map(schemaProblemText)) : encoded(current.body);
  }

  /** See `EntryAdmission`: what is stored stays as it is, and changes version when next written. */
  shown(entry: Uint8Array, schemaVersion: number | undefined): ShownEntry {
    const known = schemaVersion === undefined || schemaVersion === 1;
    if (known && this.#registry().isPlain) return { kind: 'entry', entry };
    if (this.#isIn(entry, schemaVersion)) return { kind: 'entry', entry };
    const body = decodeEntry(entry);
    // A stored entry that cannot be read is for the shards to mend, not for this to hide.
    if (typeof body === 'string') return { kind: 'entry', entry };
    const shown =
      schemaVersion === undefined ? this.#committed(body) : this.readAs(body, schemaVersion);
    if (shown.kind === 'failed') return shown;
    if (shown.body.schemaVersion === body.schemaVersion) return { kind: 'entry', entry };
    const bytes = encoded(shown.body);
    if (bytes.kind === 'entry') return { kind: 'entry', entry: bytes.entry };
    return { kind: 'failed', failure: failedResult('INVALID_ENTRY', { problems: bytes.problems }) };
  }

  /** Whether an entry is stored in the version that is asked for: most are, and go as they are. */
  #isIn(entry: Uint8Array, schemaVersion: number | undefined): boolean {
    const schema = schemaNamedIn(entry);
    if (schema === undefined || schema.version === 0) return false;
    const name = schema.name === '' ? MEMORY_SCHEMA.name : schema.name;
    return schema.version === (schemaVersion ?? this.#registry().committed(name));
  }

  /**
   * An entry for a reader that knows `version` of its schema. What is stored stays as it is: it
   * changes version when it is next written.
   */
  readAs(body: EntryBody, version: number): RuledEntry {
    return this.#migrated(this.#named(body), version);
  }

  #ruled(body: EntryBody): RuledEntry {
    const current = this.#committed(body);
    if (current.kind === 'failed') return current;
    const found = this.#problems(current.body);
    return found.length === 0 ? current : invalid(found.map(schemaProblemText));
  }

  /** The entry in the committed version of its schema. */
  #committed(body: EntryBody): RuledEntry {
    const named = this.#named(body);
    const committed = this.#registry().committed(named.schema);
    if (committed === undefined) {
      const message = `No schema "${named.schema}" is defined.`;
      return unknownVersion(named.schema, named.schemaVersion, message);
    }
    // 0: the writer knows of no versions, so it means the present one.
    if (named.schemaVersion === 0) {
      return { kind: 'entry', body: { ...named, schemaVersion: committed } };
    }
    return this.#migrated(named, committed);
  }

  #named(body: EntryBody): EntryBody {
    return body.schema === '' ? { ...body, schema: MEMORY_SCHEMA.name } : body;
  }

  #migrated(body: EntryBody, version: number): RuledEntry {
    if (body.schemaVersion === version) return { kind: 'entry', body };
    const registry = this.#registry();
    const { schema: name, schemaVersion: from } = body;
    const route = schemaRoute((wanted) => registry.schema(name, wanted), from, version);
    if (route.kind === 'broken') {
      const { missing } = route;
      const newest = registry.versions(name).length;
      return unknownVersion(
        name,
        missing,
        `There is no way from ${name} version ${from} to version ${version}: ` +
          `version ${missing} is not defined; there are versions 1 to ${newest}.`,
      );
    }
    const { content, category, categories, metadata } = migrate(body, route.hops);
    const said = { content, category, categories, metadata };
    const checksum = entryChecksum(said);
    return { kind: 'entry', body: { ...body, ...said, checksum, schemaVersion: version } };
  }

  #problems(body: EntryBody): readonly SchemaProblem[] {
    const schema = this.#registry().schema(body.schema, body.schemaVersion);
    if (schema === undefined) {
      return [
        { path: '', problem: `${body.schema} version ${body.schemaVersion} is not defined.` },
      ];
    }
    const { content, category, categories, metadata } = body;
    const document: EntryDocument = { content, category, categories, metadata };
    return this.#validator(schema)(validatedValue(document));
  }

  #validator(schema: EntrySchema): SchemaValidator {
    const known = this.#validators.get(schema);
    if (known !== undefined) return known;
    const validator = this.#compiled(schema);
    const [oldest] = this.#validators.keys();
    if (this.#validators.size >= VALIDATORS_MAX && oldest !== undefined) {
      this.#validators.delete(oldest);
    }
    this.#validators.set(schema, validator);
    return validator;
  }

  /** A schema that only an older or a newer release can compile must not let anything through. */
  #compiled({ name, version, body }: EntrySchema): SchemaValidator {
    try {
      return this.#compile(body);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const problem = `${name} version ${version} cannot be used here: ${error.message}`;
      return () => [{ path: '', problem }];
    }
  }
}

/** What the built-in schema asks of an entry beyond what every entry is. */
function isMemory({ schema, schemaVersion, category }: UsualEntry): boolean {
  const isNamed = schema === '' || schema === MEMORY_SCHEMA.name;
  // 0: the writer knows of no versions, so it means the present one.
  const isPresent = schemaVersion === 0 || schemaVersion === MEMORY_SCHEMA.version;
  const categories: readonly string[] = MEMORY_CATEGORIES;
  return isNamed && isPresent && (category === '' || categories.includes(category));
}

function decodeEntry(bytes: Uint8Array): EntryBody | string {
  try {
    return decodeValue(entryBodyField, bytes, 'entry');
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

function decodePatch(bytes: Uint8Array): JsonObject | string {
  try {
    return decodeValue(entryPatchField, bytes, 'patch');
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

/** The bytes of an entry; a stash may have made it larger than an entry may be. */
export function encoded(body: EntryBody): ReturnType<EntryRules['patched']> {
  try {
    const entry = encodeValue(entryBodyField, body);
    return { kind: 'entry', entry, expiresAt: body.expiresAt };
  } catch (error) {
    if (error instanceof WireError) return { kind: 'problems', problems: [error.message] };
    throw error;
  }
}

function invalid(found: readonly string[]): Extract<RuledEntry, { kind: 'failed' }> {
  return { kind: 'failed', failure: failedResult('INVALID_ENTRY', { problems: found }) };
}

function problems(...found: readonly string[]): { kind: 'problems'; problems: readonly string[] } {
  return { kind: 'problems', problems: found };
}

function unknownVersion(schema: string, version: number, message: string): RuledEntry {
  const failure = failedResult('SCHEMA_UNKNOWN', { schema, version });
  return { kind: 'failed', failure: { ...failure, message } };
}
